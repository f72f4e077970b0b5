"""Requests and writes of the brain → DCMD to a device, and the device's own words back as an Answer."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Sequence

from zhongshu.connectors._mqtt.session import NotConnected, Session, Unconfirmed
from zhongshu.connectors._mqtt.speech import speaker
from zhongshu.connectors.sparkplug.codec import Topic, command, same
from zhongshu.connectors.sparkplug.config import Settings
from zhongshu.connectors.sparkplug.edge import Edge
from zhongshu.connectors.sparkplug.questions import Questions
from zhongshu.connectors.sparkplug.slots import Device, Slot
from zhongshu.kernel.clock import Clock
from zhongshu.model import roles
from zhongshu.model.commands import Answer, Call, Outcome, Result, Verb
from zhongshu.model.plant import Unit

say = speaker("sparkplug")

#: Request metric by role → name of the argument it carries.
ARGUMENTS = {
    roles.REQUEST_LOT: "lot",
    roles.REQUEST_PRODUCT: "product",
    roles.REQUEST_OPERATION: "operation",
    roles.REQUEST_QUANTITY: "quantity",
}
#: What a machine with request metrics can be asked.
VERBS = frozenset({Verb.START_JOB, Verb.STOP, Verb.RESET, Verb.HOLD, Verb.UNHOLD, Verb.ABORT_JOB})


class Asking:
    """The Writer half of the host, for the devices of one edge node."""

    def __init__(
        self,
        settings: Settings,
        units: Sequence[Unit],
        edge: Edge,
        questions: Questions,
        session: Session,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._edge = edge
        self._questions = questions
        self._session = session
        self._clock = clock
        self._unit_of_point = {point.id: unit.id for unit in units for point in unit.points}
        self._writing: defaultdict[Slot, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def write(self, point: int, value: float) -> Answer:
        """Write one metric; ACCEPTED once data of the device show the value."""
        device = self._edge.device_of(self._unit_of_point.get(point, ""))
        slot = next((s for s in device.slots.values() if s.point.id == point), None) if device else None
        if device is None or slot is None:
            return _refused(Result.BAD_ARGUMENT, say("refused.no_such_point", point=point))
        if not slot.point.writable:
            return _refused(Result.BAD_ARGUMENT, say("refused.not_writable", metric=slot.metric))
        if (absent := self._absent(device)) is not None:
            return absent
        try:
            payload = command({slot.metric: (slot.datatype, value)}, self._clock.now_ns())
        except (ValueError, OverflowError) as error:
            return _refused(Result.BAD_ARGUMENT, say("refused.does_not_fit", metric=slot.metric, error=error))
        async with self._writing[slot]:
            return await self._write(device, slot, value, payload)

    async def call(self, call: Call) -> Answer:
        """Put a request to a device; its own answer comes back, or UNKNOWN at the timeout."""
        if call.verb is Verb.SET_PARAMETER:
            return await self.write(int(call.args["point"]), float(call.args["value"]))
        device = self._edge.device_of(call.unit)
        if device is None:
            return _refused(Result.BAD_ARGUMENT, say("refused.no_such_unit", unit=call.unit))
        needed = (roles.REQUEST_KEY, roles.REQUEST_VERB, roles.COMMAND_KEY)
        if call.verb not in VERBS or any(role not in device.of_role for role in needed):
            return _refused(
                Result.UNKNOWN_VERB, say("refused.no_requests", unit=call.unit, verb=call.verb.name)
            )
        if (absent := self._absent(device)) is not None:
            return absent
        if (known := _known_answer(device, call.key)) is not None:
            return known
        return await self._call(device, call)

    async def _write(self, device: Device, slot: Slot, value: float, payload: bytes) -> Answer:
        with self._questions.echo(slot, value) as echo:
            if (failed := await self._send(device, payload)) is not None:
                return failed
            try:
                seen = await asyncio.wait_for(asyncio.shield(echo.found), self._settings.timeout_s)
            except TimeoutError:
                if echo.other is None:
                    return Answer(Outcome.UNKNOWN, reason=say("unknown.no_echo", metric=slot.metric))
                seen = echo.other
        if same(seen.value, value, slot.datatype):
            return Answer(Outcome.ACCEPTED, t_ns=seen.t_ns)
        text = say("refused.read_back", metric=slot.metric, value=value, found=seen.value)
        return Answer(Outcome.REFUSED, Result.READ_BACK_DIFFERS, text, seen.t_ns)

    async def _call(self, device: Device, call: Call) -> Answer:
        try:
            payload = command(self._request(device, call), self._clock.now_ns())
        except (ValueError, OverflowError, TypeError) as error:
            return _refused(Result.BAD_ARGUMENT, say("refused.bad_arguments", error=error))
        with self._questions.reply(call.unit, call.key) as reply:
            if (failed := await self._send(device, payload)) is not None:
                return failed
            try:
                result, t_ns = await asyncio.wait_for(asyncio.shield(reply), self._settings.timeout_s)
            except TimeoutError:
                return Answer(Outcome.UNKNOWN, reason=say("unknown.no_answer", unit=call.unit))
        return answer_of(result, t_ns)

    def _request(self, device: Device, call: Call) -> dict[str, tuple[int, float]]:
        """Every request metric the device has, the key last; an argument the verb does not have is 0."""
        values: dict[str, tuple[int, float]] = {}
        numbers = {roles.REQUEST_VERB: int(call.verb)}
        numbers |= {role: int(call.args.get(name, 0)) for role, name in ARGUMENTS.items()}
        for role, number in [*numbers.items(), (roles.REQUEST_KEY, call.key)]:
            slot = device.of_role.get(role)
            if slot is not None:
                values[slot.metric] = (slot.datatype, number)
        return values

    def _absent(self, device: Device) -> Answer | None:
        """NOT_SENT while there is nobody who could take a message."""
        if not self._session.is_connected:
            return Answer(Outcome.NOT_SENT, reason=say("not_sent.no_broker"))
        if not device.is_born:
            return Answer(Outcome.NOT_SENT, reason=say("not_sent.not_born", unit=device.unit))
        return None

    async def _send(self, device: Device, payload: bytes) -> Answer | None:
        """None once it is on its way."""
        kind = "DCMD" if device.device else "NCMD"
        topic = Topic(self._settings.group, kind, self._settings.edge, device.device)
        try:
            await self._session.publish(str(topic), payload)
        except NotConnected:
            return Answer(Outcome.NOT_SENT, reason=say("not_sent.no_broker"))
        except Unconfirmed:
            return Answer(Outcome.UNKNOWN, reason=say("unknown.not_confirmed"))
        return None


def answer_of(result: int, t_ns: int) -> Answer:
    """A device's result number as an Answer; a number we do not know is a refusal all the same."""
    if result == Result.OK:
        return Answer(Outcome.ACCEPTED, Result.OK, t_ns=t_ns)
    known = Result(result) if result in Result._value2member_map_ else Result.PROTOCOL_ERROR
    return Answer(Outcome.REFUSED, known, say("refused.by_device", result=result), t_ns)


def _known_answer(device: Device, key: int) -> Answer | None:
    """A device that has answered this key already will not report anything new."""
    slot, result = device.of_role[roles.COMMAND_KEY], device.of_role.get(roles.COMMAND_RESULT)
    if slot.value != key:
        return None
    number = result.value if result is not None else 0.0
    return answer_of(0 if math.isnan(number) else int(number), slot.t_ns)


def _refused(result: Result, reason: str) -> Answer:
    return Answer(Outcome.REFUSED, result, reason)
