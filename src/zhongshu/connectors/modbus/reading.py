"""One look at a unit: its blocks are read one after the other and become values, all of one scan or none."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from zhongshu.connectors.modbus import frames
from zhongshu.connectors.modbus.codec import Place, Words, value_of
from zhongshu.connectors.modbus.config import Settings
from zhongshu.connectors.modbus.frames import Refused
from zhongshu.connectors.modbus.link import Link
from zhongshu.connectors.modbus.plan import Block, Limits, Plan, blocks, halves
from zhongshu.connectors.modbus.speech import Speech
from zhongshu.model.batch import Floats

_log = logging.getLogger(__name__)

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
#: Attempts at an image that changes while it is read; after that the next look is left to the rhythm.
TORN_MAX = 5


@dataclass(slots=True)
class Looks:
    """What became of the looks at a connection's units, as counts."""

    images: int = 0
    unchanged: int = 0
    torn: int = 0
    missed: int = 0
    restarts: int = 0

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)


class _Narrowed(Exception):
    """The device refused a block; the plan is another one now."""


class Reading:
    """The reads of one unit. Registers that the device refuses are found and left out; the others go on."""

    def __init__(
        self,
        unit: str,
        unit_id: int,
        places: Sequence[Place],
        count_row: int | None,
        settings: Settings,
        say: Speech,
    ) -> None:
        self._unit, self._unit_id, self._places = unit, unit_id, places
        self._count_row, self._limits, self._say = count_row, Limits.of(settings), say
        self._told: frozenset[int] = frozenset()
        self.plan = self._whole()

    def forget_refusals(self) -> None:
        """Read every point again: the device may be another one, or have another program."""
        self.plan = self._whole()

    async def values(self, link: Link, last_count: int, looks: Looks, *, suspect: bool) -> Floats | None:
        """All values of one scan, NaN for what the device refuses; None if the counter still stands at ``last_count``.

        Raises Refused (the whole unit), Silent or LinkLost.
        """
        torn = 0
        while torn < TORN_MAX:
            plan = self.plan
            try:
                answers = await self._answers(link, plan, last_count, suspect)
            except _Narrowed:
                continue  # at most twice as many as there are points
            if answers is None:
                return None
            if len(plan.blocks) < 2 or not self._numbered(plan):
                return plan.values(answers)
            values = plan.values(answers)
            if await self._count_again(link, suspect) == values[self._row]:
                return values
            torn += 1
            looks.torn += 1
        return None

    async def _answers(self, link: Link, plan: Plan, last_count: int, suspect: bool) -> list[Words] | None:
        answers: list[Words] = []
        for block in plan.blocks:
            answers.append(await self._block(link, block, suspect))
            if len(answers) == 1 < len(plan.blocks) and self._numbered(plan):
                if int(self._count_in(block, answers[0])) == last_count:
                    return None  # the other blocks would bring nothing new
        return answers

    async def _block(self, link: Link, block: Block, suspect: bool) -> Words:
        request = frames.read(block.table, block.start, block.count)
        try:
            return await link.read(self._unit_id, request, suspect=suspect)
        except Refused as refused:
            if refused.code not in (ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE):
                raise
            parts = () if refused.code == ILLEGAL_FUNCTION else halves(block, self._places)
            rest = [b for b in self.plan.blocks if b is not block]
            self.plan = self._with([*rest, *parts])
            self._tell(refused.code)
            raise _Narrowed from refused

    def _tell(self, code: int) -> None:
        """One line for each register that is newly found to be refused."""
        dead = frozenset(int(r) for r in self.plan.dead)
        for row in sorted(dead - self._told):
            place = self._places[row]
            where = f"{place.table} {place.register}"
            _log.warning(
                "%s", self._say("log.refused", unit=self._unit, place=where, reason=self._say.exception(code))
            )
        self._told |= dead

    @property
    def _row(self) -> int:
        assert self._count_row is not None
        return self._count_row

    def _numbered(self, plan: Plan) -> bool:
        return self._count_row is not None and self._count_row not in plan.dead

    def _count_in(self, block: Block, words: Words) -> float:
        place = self._places[self._row]
        start = place.register - block.start
        return value_of(place, words[start : start + place.size].tolist())

    async def _count_again(self, link: Link, suspect: bool) -> float:
        place = self._places[self._row]
        request = frames.read(place.table, place.register, place.size)
        return value_of(place, (await link.read(self._unit_id, request, suspect=suspect)).tolist())

    def _whole(self) -> Plan:
        return self._with(blocks(self._places, range(len(self._places)), self._limits))

    def _with(self, parts: Sequence[Block]) -> Plan:
        return Plan(self._places, parts, first=self._count_row)
