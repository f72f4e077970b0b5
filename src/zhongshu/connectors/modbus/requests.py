"""Requests on the device's side: a new key in a unit's registers becomes a call to its machine, the answer goes beside it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from zhongshu.connectors.modbus.registers import Registers
from zhongshu.kernel.ports import PlantSide
from zhongshu.model import roles
from zhongshu.model.batch import Floats, Int64s
from zhongshu.model.commands import Answer, Call, Outcome, Result, Verb
from zhongshu.model.plant import Unit

_log = logging.getLogger(__name__)

#: Role of a request register and the argument that it carries.
ARGUMENT_OF = {
    roles.REQUEST_LOT: "lot",
    roles.REQUEST_PRODUCT: "product",
    roles.REQUEST_OPERATION: "operation",
    roles.REQUEST_QUANTITY: "quantity",
}
ROLES = frozenset({*ARGUMENT_OF, roles.REQUEST_VERB, roles.REQUEST_KEY})
KEY_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class _Answered:
    """An answer that stands in the registers until the machine's own scan shows it."""

    key_index: int
    result_index: int
    key: int
    result: int


class Requests:
    """The keyed hand-shake of all units: one call at a time for each unit, each key once."""

    def __init__(self, registers: Registers, plant_side: PlantSide) -> None:
        self._registers, self._plant_side = registers, plant_side
        self._index: dict[str, dict[str, int]] = {}
        for i, point in enumerate(registers.points):
            self._index.setdefault(point.unit, {})[point.role] = i
        self._answers: dict[str, _Answered] = {}
        self._last_key: dict[str, int] = {}
        self._last_answer: dict[str, _Answered] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def owns(self, index: int) -> bool:
        """Whether a point is part of a request."""
        return self._registers.points[index].role in ROLES

    def sensible(self, values: Mapping[int, float]) -> bool:
        """Whether all are numbers, and a key among them is one that a request can have."""
        points = self._registers.points
        keys = [v for i, v in values.items() if points[i].role == roles.REQUEST_KEY]
        return all(isfinite(v) for v in values.values()) and all(0 < key <= KEY_MAX for key in keys)

    def take(self, values: Mapping[int, float]) -> None:
        """What stands in the registers now was written; a new key begins a call, which is answered there later on."""
        for i, value in values.items():
            if self._registers.points[i].role == roles.REQUEST_KEY:
                self._key(self._registers.unit_of[i], int(value))

    def _key(self, unit: Unit, key: int) -> None:
        """A key was written: the one before gets its answer again, or waits for it; any other begins a call."""
        if self._last_key.get(unit.id) == key:
            if unit.id in self._last_answer:
                self._stand(unit, self._last_answer[unit.id])
            return
        self._last_key[unit.id] = key
        self._last_answer.pop(unit.id, None)
        task = asyncio.create_task(self._run(unit, self._arguments(unit)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def keep_answers(self, index: Int64s, values: Floats) -> None:
        """Put answers back that a scan, begun before them, has just overwritten; one that the scan shows needs that no more."""
        for unit, answered in list(self._answers.items()):
            shown = values[index == answered.key_index]
            if len(shown) and shown[-1] == answered.key:
                del self._answers[unit]
            else:
                self._show(answered)

    async def stop(self) -> None:
        """Forget everything: answers shown, and calls under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for remembered in (self._answers, self._last_key, self._last_answer, self._turns):
            remembered.clear()

    def _arguments(self, unit: Unit) -> dict[str, int]:
        """What the request registers of the unit say now, by role."""
        index = self._index[unit.id]
        return {role: int(self._registers.value(index[role])) for role in ROLES if role in index}

    async def _run(self, unit: Unit, given: Mapping[str, int]) -> None:
        key = given[roles.REQUEST_KEY]
        async with self._turns.setdefault(unit.id, asyncio.Lock()):
            try:
                answer = await self._ask(unit, given)
            except Exception:  # noqa: BLE001 — a machine that fails here gives no answer, and the master sees none
                _log.exception("called(%s, key %d)", unit.id, key)
                self._last_key.pop(unit.id, None)
                return
            index = self._index[unit.id]
            if answer.outcome in (Outcome.ACCEPTED, Outcome.REFUSED) and roles.COMMAND_KEY in index:
                at = index[roles.COMMAND_KEY], index[roles.COMMAND_RESULT]
                answered = _Answered(*at, key, _number(answer))
                if self._last_key.get(unit.id) == key:
                    self._last_answer[unit.id] = answered
                self._stand(unit, answered)

    async def _ask(self, unit: Unit, given: Mapping[str, int]) -> Answer:
        try:
            verb = Verb(given.get(roles.REQUEST_VERB, 0))
        except ValueError:
            return Answer(Outcome.REFUSED, Result.UNKNOWN_VERB)
        args = (
            {ARGUMENT_OF[r]: v for r, v in given.items() if r in ARGUMENT_OF}
            if verb is Verb.START_JOB
            else {}
        )
        return await self._plant_side.called(Call(unit.id, verb, given[roles.REQUEST_KEY], args))

    def _stand(self, unit: Unit, answered: _Answered) -> None:
        self._answers[unit.id] = answered
        self._show(answered)

    def _show(self, answered: _Answered) -> None:
        """The result first: whoever sees the key sees its result."""
        self._registers.store(answered.result_index, float(answered.result))
        self._registers.store(answered.key_index, float(answered.key))


def _number(answer: Answer) -> int:
    """The Result on the wire; a refusal is never 0."""
    if answer.outcome is Outcome.ACCEPTED:
        return int(Result.OK)
    return int(answer.result or Result.PROTOCOL_ERROR)
