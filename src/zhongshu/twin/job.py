"""One job order on one machine, from its acceptance to its end; what it takes off the shelves and what it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from zhongshu.model.states import JobState
from zhongshu.twin.lots import Stock
from zhongshu.twin.recipes import Need

OPEN = frozenset({JobState.WAITING, JobState.SETUP, JobState.RUNNING})


@dataclass(slots=True)
class Job:
    """``total`` pieces to work; ``setup_left_ns`` and ``cycle_left_ns`` are operating time still to come.

    ``kit`` holds the component pieces taken for this job by product code. ``short`` of the ``scrap`` pieces were lost
    before they were worked, because a component lot held fewer pieces than the lot itself. ``stale``: the lot had waited
    longer than the step allows, and its pieces may fail for it. ``needs``: people and tools by pool, while at work.
    """

    key: int
    lot: int
    product: int
    operation: int
    capability: str
    family: str
    total: int
    state: JobState = JobState.WAITING
    good: int = 0
    scrap: int = 0
    setup_left_ns: int = 0
    cycle_left_ns: int = 0
    short: int = 0
    stale: bool = False
    kit: dict[int, int] = field(default_factory=dict)
    needs: dict[str, int] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether there is still something to do."""
        return self.state in OPEN

    @property
    def left(self) -> int:
        """Pieces still to work."""
        return self.total - self.good - self.scrap

    def dump(self) -> dict[str, Any]:
        """Plain values for a snapshot."""
        return asdict(self)

    @classmethod
    def load(cls, raw: Mapping[str, Any]) -> Job:
        """The job again."""
        kit = {int(product): int(pieces) for product, pieces in raw["kit"].items()}
        return cls(**{**raw, "state": JobState(raw["state"]), "kit": kit})


def possible(
    stock: Stock, unit: str, needs: list[Need], pieces: int, parts: list[int]
) -> tuple[int, Need | None]:
    """How many of ``pieces`` assemblies the components at the unit allow, and which of them binds.

    ``parts`` are the lots there that may be used; loose pieces of opened lots lie in the unit's bin.
    """
    binding: Need | None = None
    for need in needs:
        there = stock.loose(unit, need.product)
        there += sum(stock.lots[n].good for n in parts if stock.lots[n].product == need.product)
        allowed = int(there / need.each + 1e-9)
        if allowed < pieces:
            pieces, binding = allowed, need
    return pieces, binding


def take_kit(stock: Stock, unit: str, needs: list[Need], pieces: int, parts: list[int]) -> dict[int, int]:
    """Take the components for ``pieces`` assemblies: loose ones first, then lots are opened, oldest first.

    An opened lot is no lot any more: what the job does not need is loose and takes no place in the buffer.
    """
    kit: dict[int, int] = {}
    for need in needs:
        wanted = need.pieces(pieces)
        for number in parts:
            if stock.loose(unit, need.product) >= wanted:
                break
            lot = stock.lots.get(number)
            if lot is not None and lot.product == need.product:
                stock.put_loose(unit, lot.product, lot.good)
                lot.good = 0
                stock.remove(lot, stored=False)
        stock.put_loose(unit, need.product, -wanted)
        kit[need.product] = kit.get(need.product, 0) + wanted
    return kit


def settle_kit(stock: Stock, job: Job, unit: str, needs: list[Need]) -> None:
    """End a job's kit: what its pieces used is consumed, the rest is loose again."""
    worked = job.good + job.scrap - job.short
    used = {need.product: need.pieces(worked) for need in needs}
    for product, pieces in job.kit.items():
        consumed = min(pieces, used.get(product, 0))
        stock.tally(product).consumed += consumed
        stock.put_loose(unit, product, pieces - consumed)
    job.kit = {}
