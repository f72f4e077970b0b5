"""What may stand in a unit's sequence: one task, one batch or one fixed block; placing makes it, no-overlap orders it."""

from __future__ import annotations

from dataclasses import dataclass

from zhongshu.decide.scheduling.cp.batches import batches_on
from zhongshu.decide.scheduling.cp.draft import Draft, Expr, Literal
from zhongshu.decide.scheduling.cp.incumbent import Block


@dataclass(frozen=True, slots=True)
class Occupant:
    """``key``: the task, a batch's leader, or -1 - position of a fixed block in its unit's sequence. Times in ticks;
    ``stay``: from start until left. ``present``: whether it is on this unit at all."""

    key: int
    start: Expr
    left: Expr
    stay: Expr
    present: Literal
    family: int
    started: bool

    @property
    def fixed(self) -> bool:
        """Whether all of it is constant."""
        return self.key < 0


def occupants(draft: Draft, unit: int, tasks: list[int]) -> list[Occupant]:
    """All that may stand on a unit: ``tasks`` are the free ones that may run there."""
    started, family = draft.facts.started, draft.problem.tasks
    fixed = [] if draft.whole else [_fixed(draft, unit, k, b) for k, b in fixed_blocks(draft, unit)]
    if draft.problem.units[unit].capacity > 0:
        open_batches = batches_on(draft, unit, tasks, [-1 - f.key for f in fixed])
        return fixed + [
            Occupant(r, draft.start(r), left, stay, literal, family[r].family, started[r])
            for r, literal, left, stay in open_batches
        ]
    return fixed + [
        Occupant(
            t, draft.start(t), draft.left(t), draft.stay(t), draft.on(t, unit), family[t].family, started[t]
        )
        for t in tasks
    ]


def fixed_blocks(draft: Draft, unit: int) -> list[tuple[int, Block]]:
    """Blocks of the plan that stay, with their positions: those that reach into the window and one neighbour each way."""
    stay = [(k, b) for k, b in enumerate(draft.plan.blocks[unit]) if b.members[0] not in draft.is_free]
    inside = [n for n, (_, b) in enumerate(stay) if b.left >= draft.first and b.start <= draft.last]
    if inside:
        return stay[max(0, inside[0] - 1) : inside[-1] + 2]
    before = sum(b.left < draft.first for _, b in stay)
    return stay[max(0, before - 1) : before + 1]


def _fixed(draft: Draft, unit: int, position: int, block: Block) -> Occupant:
    family = draft.problem.tasks[block.members[0]].family
    return Occupant(
        -1 - position, block.start, block.left, block.left - block.start, True, family, block.started
    )
