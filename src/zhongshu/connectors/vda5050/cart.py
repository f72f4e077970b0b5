"""One vehicle with its own MQTT client: states out, orders and instant actions in to the machine behind it."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from zhongshu.connectors._mqtt.broker import Broker
from zhongshu.connectors._mqtt.session import NotConnected, Session, Unconfirmed, Will
from zhongshu.connectors.vda5050.body import Body, Snapshot
from zhongshu.connectors.vda5050.codec import (
    CONNECTION,
    INSTANT_ACTIONS,
    ORDER,
    RESULT,
    STATE,
    Headers,
    Malformed,
    Topics,
    decode,
    encode,
)
from zhongshu.connectors.vda5050.config import Settings, serial_of
from zhongshu.connectors.vda5050.messages import Action, InstantActions, Order
from zhongshu.connectors.vda5050.mission import Mission
from zhongshu.connectors.vda5050.orders import KEY_MAX, ORDER_ID, stitched, transport_order
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.ports import PlantSide
from zhongshu.model.batch import Bytes, Floats, Int64s
from zhongshu.model.commands import Answer, Call, Outcome, Result, Verb
from zhongshu.model.plant import RoadMap, Unit

log = logging.getLogger(__name__)

#: Messages of the master waiting for the machine; more are dropped and counted.
ORDERS_MAX = 100
_VERBS = {"cancelOrder": Verb.CANCEL_TRANSPORT, "startPause": Verb.HOLD, "stopPause": Verb.UNHOLD}


class Cart:
    """A vehicle of ours. Images made while it is away are not sent; the count in the next one shows that."""

    def __init__(
        self,
        unit: Unit,
        roads: RoadMap,
        settings: Settings,
        clock: Clock,
        machines: PlantSide,
        make_broker: Callable[[], Broker],
    ) -> None:
        self._unit = unit.id
        self._clock = clock
        self._machines = machines
        self._serial = serial_of(unit.address)
        self._topics = Topics(settings)
        self._headers = Headers(settings, self._serial)
        self._body = Body(unit.points, roads, self._headers, settings.map_id)
        self._pending: list[Snapshot] = []
        self._sending = asyncio.Lock()
        self._orders: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(ORDERS_MAX)
        self._tasks: list[asyncio.Task[None]] = []
        self.dropped_orders = 0
        self.malformed = 0
        self.session = Session(
            f"vda5050 vehicle {unit.id}",
            f"{settings.manufacturer}-{self._serial}",
            make_broker,
            self._message,
            subscriptions=[(self._topics.of(self._serial, topic), 1) for topic in (ORDER, INSTANT_ACTIONS)],
            will=self._make_will,
            timeout_s=settings.timeout_s,
        )

    def start(self) -> None:
        """Begin to connect."""
        self._tasks = [
            asyncio.create_task(self.session.run(self._announce, farewell=self._farewell)),
            asyncio.create_task(self._obey()),
        ]

    async def stop(self) -> None:
        """OFFLINE, then DISCONNECT."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def restart(self) -> None:
        """Vanish without a word; what was only in memory is lost."""
        self.session.cut()
        self._body.restart()

    def take(self, index: Int64s, t_ns: Int64s, value: Floats, quality: Bytes) -> None:
        """Samples of this vehicle (indexes into its points); each time among them is one image."""
        for t in _times(t_ns):
            rows = t_ns == t
            self._pending.append(self._body.take(index[rows].tolist(), int(t), value[rows], quality[rows]))

    async def flush(self) -> None:
        """One state message an image."""
        async with self._sending:
            images, self._pending = self._pending, []
            if images and self.session.ready.is_set():
                await self._send([self._body.say(image, image.t_ns) for image in images])

    async def _say_now(self) -> None:
        """A state between two scans: the newest image again, with what has changed besides."""
        async with self._sending:
            if self._body.newest is not None:
                await self._send([self._body.say(self._body.newest, self._clock.now_ns())])

    async def _send(self, states: Sequence[bytes]) -> None:
        topic = self._topics.of(self._serial, STATE)
        try:
            await self.session.publish_all([(topic, state) for state in states])
        except (NotConnected, Unconfirmed) as error:
            log.debug("%s: state not sent: %s", self._unit, error)

    async def _announce(self) -> None:
        await self._say_connection("ONLINE")
        async with self._sending:
            self._pending.clear()  # made while it was away; the newest of them follows
        await self._say_now()

    async def _farewell(self) -> None:
        await self._say_connection("OFFLINE")

    async def _say_connection(self, state: str) -> None:
        topic, payload = self._connection(state)
        await self.session.publish(topic, payload, qos=1, retain=True)

    def _connection(self, state: str) -> tuple[str, bytes]:
        header = self._headers.next(CONNECTION, self._clock.now_ns())
        return self._topics.of(self._serial, CONNECTION), encode({**header, "connectionState": state})

    def _make_will(self) -> Will:
        topic, payload = self._connection("CONNECTIONBROKEN")
        return Will(topic, payload, qos=1, retain=True)

    # --- orders -----------------------------------------------------------------------------------------

    def _message(self, topic: str, payload: bytes) -> None:
        try:
            self._orders.put_nowait((self._topics.parse(topic)[1], payload))
        except asyncio.QueueFull:
            self.dropped_orders += 1

    async def _obey(self) -> None:
        """Messages of the master one after the other, in the order in which they came."""
        while True:
            kind, payload = await self._orders.get()
            try:
                if kind == ORDER:
                    await self._order(decode(Order, payload))
                else:
                    for action in decode(InstantActions, payload).actions:
                        await self._act(action)
            except Malformed as error:
                self.malformed += 1
                self._refuse("validationError", [], str(error), Result.BAD_ARGUMENT)
            except Exception:
                log.exception("%s: a message of the master could not be carried out", self._unit)
            await self._say_now()

    async def _order(self, order: Order) -> None:
        """Check it as the standard asks, then let the machine decide."""
        about = [("orderId", order.order_id)]
        mission = self._body.mission
        if mission is not None and mission.order_id == order.order_id:
            if order.order_update_id != mission.update_id:  # else the same order again, which is ignored
                await self._update(mission, order)
            return
        try:
            transport = transport_order(order, self._unit)
        except Malformed as error:
            self._refuse("validationError", about, str(error), Result.BAD_ARGUMENT)
            return
        answer = await self._machines.called(
            Call(self._unit, Verb.TRANSPORT, transport.key, transport.to_args())
        )
        if answer.outcome is Outcome.ACCEPTED:
            self._body.begin(Mission(order, transport))
        else:
            kind = "noRouteError" if answer.result is Result.BAD_ARGUMENT else "orderError"
            self._refuse(kind, about, answer.reason, answer.result)

    async def _update(self, mission: Mission, order: Order) -> None:
        """More is released, or the horizon is another one; the machine decides."""
        about = [("orderId", order.order_id), ("orderUpdateId", str(order.order_update_id))]
        if order.order_update_id < mission.update_id:
            text = f"orderUpdateId {order.order_update_id} is older than {mission.update_id}"
            self._refuse("orderUpdateError", about, text, Result.BAD_ARGUMENT)
            return
        try:
            whole = stitched(mission.order, order)
            transport = transport_order(whole, self._unit)
        except Malformed as error:
            self._refuse("orderUpdateError", about, str(error), Result.BAD_ARGUMENT)
            return
        args = {**transport.to_args(), "stitch": sum(n.released for n in mission.order.nodes) - 1}
        answer = await self._machines.called(Call(self._unit, Verb.EXTEND_TRANSPORT, transport.key, args))
        if answer.outcome is Outcome.ACCEPTED:
            mission.extend(whole)
        else:
            self._refuse("orderUpdateError", about, answer.reason, answer.result)

    async def _act(self, action: Action) -> None:
        if action.action_type == "stateRequest":
            self._body.acted(action.action_id, action.action_type, "FINISHED", "")
            return
        verb = _VERBS.get(action.action_type)
        if verb is None:
            self._fail(action, "instant action is not supported", Result.NOT_CAPABLE)
            return
        meant = str(action.parameter(ORDER_ID) or "")
        args = {"order": int(meant)} if meant.isascii() and meant.isdigit() else {}
        answer: Answer = await self._machines.called(Call(self._unit, verb, _key(action.action_id), args))
        if answer.outcome is Outcome.ACCEPTED:
            self._body.acted(action.action_id, action.action_type, "FINISHED", answer.reason)
        else:
            self._fail(action, answer.reason, answer.result)

    def _fail(self, action: Action, text: str, result: Result) -> None:
        kind = "noOrderToCancel" if action.action_type == "cancelOrder" else "instantActionError"
        self._body.acted(action.action_id, action.action_type, "FAILED", text)
        self._refuse(kind, [("actionId", action.action_id)], text, result)

    def _refuse(self, kind: str, about: list[tuple[str, str]], text: str, result: Result) -> None:
        references = [*about, (RESULT, str(int(result)))]
        error: dict[str, Any] = {
            "errorType": kind,
            "errorLevel": "WARNING",
            "errorDescription": text,
            "errorReferences": [{"referenceKey": k, "referenceValue": v} for k, v in references],
        }
        self._body.refuse(error)


def _times(t_ns: Int64s) -> list[int]:
    """The different times, ascending."""
    return sorted(set(t_ns.tolist()))


def _key(action_id: str) -> int:
    """Our own instant actions end with the plant's key; others get a positive number of their name."""
    tail = action_id.rpartition("-")[2]
    if tail.isascii() and tail.isdigit() and 0 < int(tail) <= KEY_MAX:
        return int(tail)
    return zlib.crc32(action_id.encode()) & KEY_MAX or 1
