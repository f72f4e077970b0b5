"""What a solver found, read back: a solved draft in, a solution out."""

from __future__ import annotations

from collections.abc import Callable

from zhongshu.decide.scheduling.cp.draft import Draft, Expr, Literal
from zhongshu.decide.scheduling.solution import Moved, Placed, Solution


def extract(draft: Draft, value: Callable[[Expr], int]) -> Solution:
    """The solution; ``value`` tells what the solver gave an expression. All that is not free stays as it was."""

    def of(expr: Expr) -> int:
        return int(expr) if isinstance(expr, (bool, int)) else int(value(expr))

    placed = _placed(draft, of)
    return Solution(tuple(placed), _moved(draft, of))


def _placed(draft: Draft, of: Callable[[Expr], int]) -> list[Placed]:
    found = [] if draft.whole else list(draft.plan.placed)
    batches = _batches(draft, of)
    for task in draft.free:
        mode = next(m for m, used in draft.uses[task].items() if of(used))
        one = Placed(
            task,
            mode,
            of(draft.start_of[task]),
            of(draft.end_of[task]),
            of(draft.left_of[task]),
            batches.get(task, -1),
        )
        if draft.whole:
            found.append(one)
        else:
            found[task] = one
    for task, left in draft.left_of.items():
        if task not in draft.is_free:
            p = found[task]
            found[task] = Placed(p.task, p.mode, p.start, p.end, of(left), p.batch)
    return found


def _batches(draft: Draft, of: Callable[[Expr], int]) -> dict[int, int]:
    """By task on a batch unit the number of its batch; new batches take numbers that are free there."""
    found: dict[int, int] = {}
    for unit, joins in draft.joins.items():
        taken: set[int] = set()
        if not draft.whole:
            staying = (b for b in draft.plan.blocks[unit] if b.members[0] not in draft.is_free)
            taken = {draft.plan.placed[b.members[0]].batch for b in staying}
        numbers: dict[int, int] = {}
        for (task, leader), literal in joins.items():
            if of(literal):
                if leader < 0:
                    found[task] = draft.plan.placed[draft.plan.blocks[unit][-1 - leader].members[0]].batch
                    continue
                if leader not in numbers:
                    numbers[leader] = next(n for n in range(len(taken) + 1) if n not in taken)
                    taken.add(numbers[leader])
                found[task] = numbers[leader]
    return found


def _moved(draft: Draft, of: Callable[[Expr], int]) -> dict[int, Moved]:
    vehicles = _routes(draft, of)
    found: dict[int, Moved] = {} if draft.whole else dict(draft.plan.moved)
    for k, ride in draft.rides.items():
        found[k] = Moved(k, vehicles.get(k, -1), of(ride.pickup), of(ride.drop))
    for k, vehicle in vehicles.items():
        if k not in draft.rides and found[k].vehicle != vehicle:
            found[k] = Moved(k, vehicle, found[k].pickup, found[k].drop)
    return found


def _routes(draft: Draft, of: Callable[[Expr], Literal]) -> dict[int, int]:
    """By carried ride its vehicle: the routes are followed from each vehicle's first ride.

    Where a route runs on into rides behind the window, all that follows on that vehicle goes along.
    """
    following: dict[int, int] = {}
    firsts: dict[int, int] = {}
    for (a, b), literal in draft.follows.items():
        if of(literal):
            if a < 0:
                firsts[-1 - a] = b
            else:
                following[a] = b
    found: dict[int, int] = {}
    for vehicle, first in firsts.items():
        k: int | None = first
        last = first
        while k is not None:
            found[k] = vehicle
            last, k = k, following.get(k)
        if last not in draft.rides:
            line = draft.plan.rides[draft.plan.moved[last].vehicle]
            for later in line[draft.plan.ride_place[last] + 1 :]:
                if later not in draft.rides:
                    found[later] = vehicle
    return found
