"""What the brain asks of a unit: writes with read-back, and requests by the keyed hand-shake; each goes out once, never twice."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pymodbus.pdu import ModbusPDU

from zhongshu.connectors.modbus import frames
from zhongshu.connectors.modbus.codec import BIT_TABLES, NotRepresentable, Place, value_of, words_of
from zhongshu.connectors.modbus.frames import Refused
from zhongshu.connectors.modbus.link import Crowded, Link, LinkLost, Silent
from zhongshu.connectors.modbus.speech import Speech
from zhongshu.kernel.clock import Clock
from zhongshu.model import roles
from zhongshu.model.commands import Answer, Call, Outcome, Result, Verb
from zhongshu.model.plant import Point, Unit

#: Between two looks at the registers in which a unit answers a request.
ANSWER_EVERY_S = 0.05
#: A device may take a scan of its own before a written value shows; so long a different read-back is looked at again.
READ_BACK_S = 0.5
DEVICE_FAILURE, ACKNOWLEDGE, BUSY, GATEWAY_NO_ANSWER = 4, 5, 6, 11
#: Arguments of a request and the role of the register that carries each.
ARGUMENTS = {
    "lot": roles.REQUEST_LOT,
    "product": roles.REQUEST_PRODUCT,
    "operation": roles.REQUEST_OPERATION,
    "quantity": roles.REQUEST_QUANTITY,
}


@dataclass(frozen=True, slots=True)
class Target:
    """A unit on the wire: its id and the place of each of its points."""

    unit: Unit
    unit_id: int
    places: tuple[Place, ...]
    one_request: asyncio.Lock = field(default_factory=asyncio.Lock)

    def by_role(self) -> dict[str, Place]:
        """Places of the points that have a role."""
        return {p.role: place for p, place in zip(self.unit.points, self.places, strict=True) if p.role}


class Asking:
    """The writer's side of one connection; ``timeout_s`` bounds each question in wall time."""

    def __init__(self, targets: Sequence[Target], timeout_s: float, clock: Clock, say: Speech) -> None:
        self._timeout_s, self._clock, self._say = timeout_s, clock, say
        self._unit_of = {t.unit.id: t for t in targets}
        self._point_of: Mapping[int, tuple[Target, Point, Place]] = {
            p.id: (t, p, place) for t in targets for p, place in zip(t.unit.points, t.places, strict=True)
        }

    async def write(self, link: Link | None, point: int, value: float) -> Answer:
        """One raw value, read back; ACCEPTED only if the registers then hold exactly it."""
        if point not in self._point_of:
            return self._refused(Result.BAD_ARGUMENT, self._say("write.unknown_point", point=point))
        target, about, place = self._point_of[point]
        if not about.writable or place.table in ("input", "discrete"):
            return self._refused(Result.NOT_CAPABLE, self._say("write.read_only", point=about.path))
        try:
            words = words_of(place, value)
        except NotRepresentable as error:
            return self._refused(
                Result.BAD_ARGUMENT, self._say(error.key, point=about.path, value=value, dtype=place.dtype)
            )
        if place.table in BIT_TABLES:
            request = frames.write_coil(place.register, bool(words[0]))
        else:
            request = frames.write_words(place.register, words)
        refusal = await self._send(link, target, request)
        if refusal is not None or link is None:
            return refusal or self._not_sent(self._say("link.none"))
        return await self._read_back(link, target, place, words)

    async def call(self, link: Link | None, call: Call) -> Answer:
        """Write the request with its key last, then wait until the unit answers that key."""
        target = self._unit_of.get(call.unit)
        if target is None:
            return self._refused(Result.BAD_ARGUMENT, self._say("call.unknown_unit", unit=call.unit))
        places = target.by_role()
        try:
            start, words = request_words(places, call)
        except NotRepresentable as error:
            result = Result.BAD_ARGUMENT if error.key == "call.argument" else Result.NOT_CAPABLE
            return self._refused(result, self._say(error.key, unit=call.unit, verb=call.verb.name))
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        try:
            async with asyncio.timeout_at(deadline):
                await target.one_request.acquire()
        except TimeoutError:
            return self._not_sent(self._say("call.another", unit=call.unit))
        try:
            refusal = await self._send(link, target, frames.write_words(start, words))
            if refusal is not None or link is None:
                return refusal or self._not_sent(self._say("link.none"))
            return await self._await_key(link, target, places, call.key, deadline)
        finally:
            target.one_request.release()

    async def _send(self, link: Link | None, target: Target, request: ModbusPDU) -> Answer | None:
        """Send a write; None once the device acknowledged it, else why not."""
        if link is None:
            return self._not_sent(self._say("link.none"))
        try:
            await link.write(target.unit_id, request, self._timeout_s)
        except Refused as refused:
            return self._excepted(refused.code)
        except Crowded:
            return self._not_sent(self._say("link.crowded"))
        except Silent:
            return Answer(
                Outcome.UNKNOWN, Result.PROTOCOL_ERROR, self._say("write.no_answer"), self._clock.now_ns()
            )
        except LinkLost as lost:
            return self._lost(lost) if lost.sent else self._not_sent(lost.reason)
        return None

    async def _read_back(self, link: Link, target: Target, place: Place, words: list[int]) -> Answer:
        deadline = asyncio.get_running_loop().time() + min(READ_BACK_S, self._timeout_s)
        while True:
            try:
                seen = await self._words(link, target, place)
            except LinkLost as lost:
                return self._lost(lost)
            except (Refused, Silent):
                reason = self._say("write.no_read_back")
                return Answer(Outcome.UNKNOWN, Result.PROTOCOL_ERROR, reason, self._clock.now_ns())
            if seen == words:
                return Answer(Outcome.ACCEPTED, t_ns=self._clock.now_ns())
            if asyncio.get_running_loop().time() >= deadline:
                reason = self._say("write.differs", sent=value_of(place, words), seen=value_of(place, seen))
                return self._refused(Result.READ_BACK_DIFFERS, reason)
            await self._clock.sleep_wall(ANSWER_EVERY_S)

    async def _await_key(
        self, link: Link, target: Target, places: Mapping[str, Place], key: int, deadline: float
    ) -> Answer:
        """Look at the answer registers until they speak of ``key``, at most until ``deadline`` (loop time)."""
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    try:
                        if (number := await self._answer_to(link, target, places, key)) is not None:
                            return self._result(number)
                    except (Refused, Silent):
                        pass  # looking again is harmless; the deadline ends it
                    await self._clock.sleep_wall(ANSWER_EVERY_S)
        except LinkLost as lost:
            return self._lost(lost)
        except TimeoutError:
            reason = self._say("call.no_answer")
            return Answer(Outcome.UNKNOWN, Result.PROTOCOL_ERROR, reason, self._clock.now_ns())

    async def _answer_to(
        self, link: Link, target: Target, places: Mapping[str, Place], key: int
    ) -> float | None:
        """The result number that the device gives for ``key``; None while it speaks of another key."""
        place, other = places[roles.COMMAND_KEY], places[roles.COMMAND_RESULT]
        if value_of(place, await self._words(link, target, place)) != key:
            return None
        return value_of(other, await self._words(link, target, other))

    async def _words(self, link: Link, target: Target, place: Place) -> list[int]:
        request = frames.read(place.table, place.register, place.size)
        return [int(word) for word in await link.read(target.unit_id, request)]

    def _result(self, number: float) -> Answer:
        """The device's own answer; a number that no Result has is its protocol error."""
        known = {int(r): r for r in Result}
        result = known.get(int(number), Result.PROTOCOL_ERROR)
        if result is Result.OK:
            return Answer(Outcome.ACCEPTED, t_ns=self._clock.now_ns())
        return self._refused(result, self._say(f"result.{result.name.lower()}", number=int(number)))

    def _excepted(self, code: int) -> Answer | None:
        """A Modbus exception to a write: most refuse it, one acknowledges it, two leave open what happened."""
        if code == ACKNOWLEDGE:
            return None
        if code in (DEVICE_FAILURE, GATEWAY_NO_ANSWER):
            return Answer(
                Outcome.UNKNOWN, Result.PROTOCOL_ERROR, self._say.exception(code), self._clock.now_ns()
            )
        return self._refused(
            Result.BUSY if code == BUSY else Result.PROTOCOL_ERROR, self._say.exception(code)
        )

    def _lost(self, lost: LinkLost) -> Answer:
        return Answer(Outcome.UNKNOWN, Result.PROTOCOL_ERROR, lost.reason, self._clock.now_ns())

    def _not_sent(self, reason: str) -> Answer:
        return Answer(Outcome.NOT_SENT, Result.PROTOCOL_ERROR, reason, self._clock.now_ns())

    def _refused(self, result: Result, reason: str) -> Answer:
        return Answer(Outcome.REFUSED, result, reason, self._clock.now_ns())


def request_words(places: Mapping[str, Place], call: Call) -> tuple[int, list[int]]:
    """First register and words of a request, in one piece with the key last. Raises NotRepresentable, naming why."""
    wanted = {roles.REQUEST_VERB: float(call.verb), roles.REQUEST_KEY: float(call.key)}
    wanted |= {role: float(call.args.get(name, 0)) for name, role in ARGUMENTS.items()}
    parts = sorted((places[role] for role in wanted if role in places), key=lambda p: p.register)
    if not _one_piece(places, parts):
        raise NotRepresentable("call.no_registers")
    if call.verb in (Verb.TRANSPORT, Verb.EXTEND_TRANSPORT, Verb.CANCEL_TRANSPORT, Verb.SET_PARAMETER):
        raise NotRepresentable("call.verb")
    given = {ARGUMENTS[name] for name, value in call.args.items() if name in ARGUMENTS and value}
    if not given <= places.keys():
        raise NotRepresentable("call.no_registers")
    if not call.args.keys() <= ARGUMENTS.keys():
        raise NotRepresentable("call.argument")
    try:
        words = {
            place.register: words_of(place, wanted[role]) for role, place in places.items() if role in wanted
        }
    except NotRepresentable as error:
        raise NotRepresentable("call.argument") from error
    return parts[0].register, [word for register in sorted(words) for word in words[register]]


def _one_piece(places: Mapping[str, Place], parts: Sequence[Place]) -> bool:
    """Whether verb, key and answer have registers, the request's lie side by side, and its key is the last of them."""
    needed = {roles.REQUEST_VERB, roles.REQUEST_KEY, roles.COMMAND_KEY, roles.COMMAND_RESULT}
    if not needed <= places.keys() or any(p.table != "holding" for p in parts):
        return False
    joined = all(a.end == b.register for a, b in pairwise(parts))
    return joined and parts[-1] == places[roles.REQUEST_KEY]
