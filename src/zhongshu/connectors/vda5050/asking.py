"""Transport orders and instant actions of the brain → messages to a vehicle, and its next states back as an Answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from zhongshu.connectors._mqtt.session import NotConnected, Session, Unconfirmed
from zhongshu.connectors._mqtt.speech import speaker
from zhongshu.connectors.vda5050.codec import (
    INSTANT_ACTIONS,
    ORDER,
    RESULT,
    Headers,
    Malformed,
    Topics,
    encode,
    instant_actions,
    parse_timestamp,
)
from zhongshu.connectors.vda5050.config import Settings
from zhongshu.connectors.vda5050.messages import State, VehicleError
from zhongshu.connectors.vda5050.orders import ORDER_ID, Roads, order_message
from zhongshu.connectors.vda5050.points import answers, refers_to
from zhongshu.connectors.vda5050.vehicle import Vehicle
from zhongshu.kernel.clock import NS, Clock
from zhongshu.model.commands import Answer, Call, Outcome, Result, Verb
from zhongshu.model.orders import TransportOrder

say = speaker("vda5050")

#: Instant action of each verb but those that are orders.
ACTIONS: Mapping[Verb, str] = {
    Verb.CANCEL_TRANSPORT: "cancelOrder",
    Verb.HOLD: "startPause",
    Verb.UNHOLD: "stopPause",
}
#: What a vehicle's own error types mean to us where it does not say it more exactly.
_RESULTS: Mapping[str, Result] = {
    "validationError": Result.BAD_ARGUMENT,
    "noRouteError": Result.BAD_ARGUMENT,
    "orderError": Result.NOT_READY,
    "orderUpdateError": Result.NOT_READY,
    "noOrderToCancel": Result.NOT_READY,
}
Judge = Callable[[State], Answer | None]


class Asking:
    """The Writer half of master control."""

    def __init__(
        self,
        settings: Settings,
        vehicles: Mapping[str, Vehicle],
        session: Session,
        roads: Roads,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._vehicles = vehicles
        self._session = session
        self._roads = roads
        self._clock = clock
        self._topics = Topics(settings)
        # Not from 0, since an error about a message of an earlier process of ours may still stand in a vehicle's state.
        first = clock.wall_ns() // NS % 2**31
        self._headers = {v.unit: Headers(settings, v.serial, first) for v in vehicles.values()}
        self._waiting: dict[str, dict[asyncio.Future[Answer], Judge]] = {unit: {} for unit in vehicles}

    @property
    def open_questions(self) -> int:
        """Requests that wait for an answer."""
        return sum(len(waiting) for waiting in self._waiting.values())

    def seen(self, unit: str, state: State) -> None:
        """A new state of a vehicle: whoever waits for one judges it."""
        for future, judge in list(self._waiting[unit].items()):
            answer = judge(state)
            if answer is not None and not future.done():
                future.set_result(answer)

    async def call(self, call: Call) -> Answer:
        """Put a request to a vehicle; its own states answer, or UNKNOWN at the timeout."""
        vehicle = self._vehicles.get(call.unit)
        if vehicle is None:
            return _refused(Result.BAD_ARGUMENT, say("refused.no_such_unit", unit=call.unit))
        judge: Callable[[State, int | None], Answer | None]
        if call.verb is Verb.TRANSPORT:
            topic, judge = ORDER, partial(judge_order, str(call.key))
        elif call.verb is Verb.EXTEND_TRANSPORT:
            topic, judge = ORDER, partial(judge_update, str(call.key), int(call.args.get("update", 0)))
        elif call.verb in ACTIONS:
            topic, judge = INSTANT_ACTIONS, partial(judge_action, _action_id(call))
        else:
            return _refused(Result.UNKNOWN_VERB, say("refused.verb", unit=call.unit, verb=call.verb.name))
        if not self._session.is_connected:
            return Answer(Outcome.NOT_SENT, reason=say("not_sent.no_broker"))
        if not vehicle.is_up:
            return Answer(Outcome.NOT_SENT, reason=say("not_sent.offline", unit=call.unit))
        if vehicle.state is not None and (known := judge(vehicle.state, None)) is not None:
            return known  # the vehicle has had this very request before
        if call.verb is Verb.CANCEL_TRANSPORT and _is_over(vehicle, call):
            return _refused(
                Result.NOT_READY, say("refused.order_over", unit=call.unit, order=call.args["order"])
            )
        try:
            message = self._message(call)
            payload = encode(message)
        except (ValueError, TypeError, KeyError) as error:
            return _refused(Result.BAD_ARGUMENT, say("refused.bad_arguments", error=error))
        header_id: int = message["headerId"]
        return await self._ask(vehicle, topic, payload, lambda state: judge(state, header_id))

    async def request_state(self, vehicle: Vehicle) -> None:
        """Ask for a state now: states are not kept by the broker. Raises NotConnected, Unconfirmed."""
        now_ns = self._clock.now_ns()
        header = self._headers[vehicle.unit].next(INSTANT_ACTIONS, now_ns)
        action = _action("stateRequest", f"stateRequest-{now_ns}")
        topic = self._topics.of(vehicle.serial, INSTANT_ACTIONS)
        await self._session.publish(topic, encode(instant_actions(header, [action])))

    async def _ask(self, vehicle: Vehicle, topic: str, payload: bytes, judge: Judge) -> Answer:
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[vehicle.unit][answered] = judge
        try:
            await self._session.publish(self._topics.of(vehicle.serial, topic), payload)
            return await asyncio.wait_for(answered, self._settings.timeout_s)
        except NotConnected:
            return Answer(Outcome.NOT_SENT, reason=say("not_sent.no_broker"))
        except Unconfirmed:
            return Answer(Outcome.UNKNOWN, reason=say("unknown.not_confirmed"))
        except TimeoutError:
            return Answer(Outcome.UNKNOWN, reason=say("unknown.no_answer", unit=vehicle.unit))
        finally:
            del self._waiting[vehicle.unit][answered]

    def _message(self, call: Call) -> dict[str, Any]:
        """The message of a request, with the next header of its topic."""
        headers, now_ns = self._headers[call.unit], self._clock.now_ns()
        if call.verb in (Verb.TRANSPORT, Verb.EXTEND_TRANSPORT):
            order = TransportOrder.from_args(call.key, call.unit, dict(call.args))
            order_message(
                {}, order, self._roads
            )  # a header number is spent only on a message that can be made
            return order_message(headers.next(ORDER, now_ns), order, self._roads)
        meant = call.args.get("order")
        parameters = [{"key": ORDER_ID, "value": str(meant)}] if meant else []
        action = _action(ACTIONS[call.verb], _action_id(call), parameters)
        return instant_actions(headers.next(INSTANT_ACTIONS, now_ns), [action])


def judge_order(order_id: str, state: State, header_id: int | None) -> Answer | None:
    """ACCEPTED once the vehicle has the order, REFUSED once one of its errors is about it or its message."""
    if state.order_id == order_id:
        return Answer(Outcome.ACCEPTED, t_ns=_time(state))
    return _by_error(state, "orderId", order_id, ORDER, header_id)


def judge_update(order_id: str, update: int, state: State, header_id: int | None) -> Answer | None:
    """ACCEPTED once the vehicle's order has that update, REFUSED once an error is about it, or the order is another one."""
    if state.order_id == order_id and state.order_update_id >= update:
        return Answer(Outcome.ACCEPTED, t_ns=_time(state))
    for error in state.errors:
        ours = refers_to(error, "orderId", order_id) and refers_to(error, "orderUpdateId", str(update))
        if ours or (header_id is not None and answers(error, ORDER, header_id)):
            return _by_vehicle(error, state)
    return None


def judge_action(action_id: str, state: State, header_id: int | None) -> Answer | None:
    """ACCEPTED once the vehicle does it or has done it, REFUSED once it failed or an error is about it."""
    for action in state.action_states:
        if action.action_id == action_id:
            if action.action_status in ("RUNNING", "PAUSED", "FINISHED"):
                return Answer(Outcome.ACCEPTED, t_ns=_time(state))
            if action.action_status == "FAILED":
                text = action.result_description or say("refused.failed")
                failed = Answer(Outcome.REFUSED, Result.NOT_READY, text, _time(state))
                return _by_error(state, "actionId", action_id, INSTANT_ACTIONS, header_id) or failed
    return _by_error(state, "actionId", action_id, INSTANT_ACTIONS, header_id)


def _by_error(state: State, key: str, value: str, topic: str, header_id: int | None) -> Answer | None:
    for error in state.errors:
        if refers_to(error, key, value) or (header_id is not None and answers(error, topic, header_id)):
            return _by_vehicle(error, state)
    return None


def _by_vehicle(error: VehicleError, state: State) -> Answer:
    """The vehicle's refusal, with our own result code where it gave one."""
    result = _RESULTS.get(error.error_type, Result.PROTOCOL_ERROR)
    for reference in error.error_references or ():
        if reference.reference_key == RESULT and reference.reference_value.isdigit():
            number = int(reference.reference_value)
            result = Result(number) if number in Result._value2member_map_ else Result.PROTOCOL_ERROR
    text = say("refused.by_vehicle", type=error.error_type, text=error.error_description or "")
    return Answer(Outcome.REFUSED, result, text, _time(state))


def _action(kind: str, action_id: str, parameters: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
    return {
        "actionType": kind,
        "actionId": action_id,
        "blockingType": "HARD",
        "actionParameters": list(parameters),
    }


def _action_id(call: Call) -> str:
    return f"{ACTIONS[call.verb]}-{call.key}"


def _is_over(vehicle: Vehicle, call: Call) -> bool:
    """The order that is to be cancelled is not the one that the vehicle has."""
    meant = call.args.get("order")
    return bool(meant) and vehicle.state is not None and vehicle.state.order_id != str(meant)


def _time(state: State) -> int:
    try:
        return parse_timestamp(state.timestamp)
    except Malformed:
        return 0


def _refused(result: Result, reason: str) -> Answer:
    return Answer(Outcome.REFUSED, result, reason)
