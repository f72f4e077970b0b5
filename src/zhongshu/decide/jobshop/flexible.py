"""Tabu search over modes and orders: critical tasks are taken out and tried everywhere (Mastrolilli & Gambardella 2000)."""

from __future__ import annotations

from zhongshu.decide.jobshop.compiled import Indexes, Ints, Words, compiled, draw
from zhongshu.decide.jobshop.critical import WORST, critical_path, may_reach
from zhongshu.decide.jobshop.plan import (
    AFTER,
    BEFORE,
    HEAD,
    HEADS,
    MODE,
    NEXT,
    OPENER,
    POS,
    PREV,
    TAIL,
    TICKS,
    TOPO,
    UNIT,
    insert,
    relocate,
    unlink,
)
from zhongshu.decide.jobshop.tabu import (
    AT,
    BEST,
    BOUND,
    NOW,
    PATIENCE,
    ROUND,
    TENURE,
    best_swap,
    carry_out_swap,
    pair,
)
from zhongshu.decide.jobshop.tabu import TASK as SWAP_TASK
from zhongshu.decide.jobshop.tabu import VALUE as SWAP_VALUE

#: The best move so far: makespan after it, longest way through the task, task, chosen mode, neighbours, its equals; and
#: a random tabu move with the number of those.
VALUE, THROUGH, TASK, CHOSEN, LEFT, RIGHT, TIES, ANY_TASK, ANY_CHOSEN, ANY_LEFT, ANY_RIGHT, ANY_TIES = range(
    12
)

#: Of a critical path, at most so many tasks are taken out and tried in a round: the rest is for the next rounds, which
#: are many more for it (and a round that sees only a part of the moves is led astray less easily by the best of them).
TRIED_MOST = 12


@compiled
def tabu_modes(
    link: Indexes,
    time: Ints,
    first: Indexes,
    unit: Indexes,
    ticks: Ints,
    run: Ints,
    memory: Indexes,
    away: Indexes,
    best: Indexes,
    path: Indexes,
    gone: Ints,
    room: Ints,
    swap: Ints,
    pick: Ints,
    rng: Words,
    rounds: int,
) -> bool:
    """Up to so many rounds; True when the run is over: out of patience or at the bound.

    Tasks that have a choice are tried everywhere; those that have none only move within their blocks (N7).
    ``memory``: until which round one task may not come before another again; ``away``: until which a task may not come
    back to a unit. ``best``: order and modes. ``path``, ``gone`` (shaped as ``time``), ``room``, ``swap``, ``pick``:
    room to work in.
    """
    n = time.shape[1] - 1
    until = run[ROUND] + rounds
    while run[ROUND] < until:
        if run[BEST] <= run[BOUND] or run[ROUND] - run[AT] > run[PATIENCE]:
            return True
        length = critical_path(link, time, run[NOW], path, rng)
        best_swap(link, time, path, length, run, memory, swap, room, rng)
        pick[VALUE] = swap[SWAP_VALUE]
        pick[THROUGH] = WORST
        pick[TASK] = pick[ANY_TASK] = -1
        pick[TIES] = pick[ANY_TIES] = 0
        begin = draw(rng, length)
        tried = 0
        for step in range(length):
            task = path[(begin + step) % length]
            if tried < TRIED_MOST and first[task + 1] - first[task] > 1:
                tried += 1
                _try_everywhere(link, time, gone, first, unit, ticks, run, memory, away, pick, task, rng)
        if (
            pick[TASK] < 0
            and swap[SWAP_VALUE] == WORST
            and pick[ANY_TASK] >= 0
            and (swap[SWAP_TASK] < 0 or draw(rng, 2) == 0)
        ):
            for row in range(TASK, TIES):
                pick[row] = pick[row + ANY_TASK - TASK]
        if pick[TASK] < 0 and swap[SWAP_TASK] < 0:
            return True
        run[ROUND] += 1
        even = pick[VALUE] == swap[SWAP_VALUE] and swap[SWAP_TASK] >= 0 and swap[SWAP_VALUE] < WORST
        if pick[TASK] < 0 or (even and draw(rng, 2) == 0):
            run[NOW] = carry_out_swap(link, time, run, memory, swap, rng)
        else:
            run[NOW] = _carry_out(link, time, first, unit, ticks, run, memory, away, pick, rng)
        if run[NOW] < run[BEST]:
            run[BEST] = run[NOW]
            run[AT] = run[ROUND]
            for at in range(n):
                best[0, at] = link[TOPO, at]
                best[1, at] = link[MODE, at]
    return False


@compiled
def without(link: Indexes, time: Ints, gone: Ints, task: int) -> int:
    """Heads and tails into ``gone`` as if the (unlinked) task took no time; the makespan then."""
    n = time.shape[1] - 1
    for one in range(n + 1):
        gone[TICKS, one] = time[TICKS, one]
        gone[HEAD, one] = time[HEAD, one]
        gone[TAIL, one] = time[TAIL, one]
    gone[TICKS, task] = 0
    at = link[POS, task]
    for place in range(at, n):
        one = link[TOPO, place]
        by_job = link[BEFORE, one]
        start = gone[HEAD, by_job] + gone[TICKS, by_job]
        if one != task:
            by_unit = link[PREV, one]
            start = max(start, gone[HEAD, by_unit] + gone[TICKS, by_unit])
        gone[HEAD, one] = start
    for place in range(at, -1, -1):
        one = link[TOPO, place]
        rest = gone[TAIL, link[AFTER, one]]
        if one != task:
            rest = max(rest, gone[TAIL, link[NEXT, one]])
        gone[TAIL, one] = gone[TICKS, one] + rest
    longest = 0
    for row in range(n):
        one = link[HEADS, row]
        if one == n:
            break
        longest = max(longest, gone[TAIL, one])
    return longest


@compiled
def _try_everywhere(
    link: Indexes,
    time: Ints,
    gone: Ints,
    first: Indexes,
    unit: Indexes,
    ticks: Ints,
    run: Ints,
    memory: Indexes,
    away: Indexes,
    pick: Ints,
    task: int,
    rng: Words,
) -> None:
    """Offer every place of the task that can be best on any of its units.

    Tasks that end too late to be before it and have a short tail stay behind it, the mirror image before it: between
    those two lies an optimal place, and no cycle.
    """
    n = time.shape[1] - 1
    prev, following = link[PREV, task], link[NEXT, task]
    unlink(link, task, n)
    rest = without(link, time, gone, task)
    if rest <= pick[VALUE]:
        leader, follower = link[BEFORE, task], link[AFTER, task]
        ready = gone[HEAD, leader] + gone[TICKS, leader]
        tail = gone[TAIL, follower]
        for chosen in range(first[task], first[task + 1]):
            left = n
            one = link[OPENER, unit[chosen]]
            while True:
                behind = gone[HEAD, one] + gone[TICKS, one] > ready
                ahead = gone[TAIL, one] > tail
                if one == n or behind or not ahead:
                    same = left == prev and chosen == first[task] + link[MODE, task]
                    if not same:
                        start = max(ready, gone[HEAD, left] + gone[TICKS, left])
                        through = start + ticks[chosen] + max(tail, gone[TAIL, one])
                        _offer(
                            link,
                            gone,
                            unit,
                            run,
                            memory,
                            away,
                            pick,
                            task,
                            chosen,
                            left,
                            one,
                            rest,
                            through,
                            rng,
                        )
                if one == n or (behind and not ahead):
                    break
                left = one
                one = link[NEXT, one]
    insert(link, task, prev, following, n)


@compiled
def _offer(
    link: Indexes,
    gone: Ints,
    unit: Indexes,
    run: Ints,
    memory: Indexes,
    away: Indexes,
    pick: Ints,
    task: int,
    chosen: int,
    left: int,
    right: int,
    rest: int,
    through: int,
    rng: Words,
) -> None:
    """Keep the move if it is the best so far; among equals a random one. Of the tabu ones keep any."""
    n = gone.shape[1] - 1
    value = max(rest, through)
    if value > pick[VALUE]:
        return
    leader, follower = link[BEFORE, task], link[AFTER, task]
    if follower != n and left != n and may_reach(link, gone, follower, left):
        return
    if leader != n and right != n and may_reach(link, gone, right, leader):
        return
    now = run[ROUND]
    if unit[chosen] != link[UNIT, task]:
        tabu = away[task * link.shape[1] + unit[chosen]] > now
    else:
        tabu = memory[pair(n, memory, task, right)] > now or memory[pair(n, memory, left, task)] > now
    if tabu and value >= run[BEST]:
        pick[ANY_TIES] += 1
        if draw(rng, pick[ANY_TIES]) == 0:
            pick[ANY_TASK], pick[ANY_CHOSEN], pick[ANY_LEFT], pick[ANY_RIGHT] = task, chosen, left, right
        return
    if value < pick[VALUE] or through < pick[THROUGH]:
        pick[TIES] = 0
    elif through > pick[THROUGH]:
        return
    pick[TIES] += 1
    if draw(rng, pick[TIES]) == 0:
        pick[VALUE], pick[THROUGH] = value, through
        pick[TASK], pick[CHOSEN], pick[LEFT], pick[RIGHT] = task, chosen, left, right


@compiled
def _carry_out(
    link: Indexes,
    time: Ints,
    first: Indexes,
    unit: Indexes,
    ticks: Ints,
    run: Ints,
    memory: Indexes,
    away: Indexes,
    pick: Ints,
    rng: Words,
) -> int:
    """Carry the move out and forbid the way back for the tenure; the new makespan."""
    n = time.shape[1] - 1
    task, chosen = pick[TASK], pick[CHOSEN]
    left, right = pick[LEFT], pick[RIGHT]
    until = run[ROUND] + run[TENURE] + draw(rng, max(1, run[TENURE]))
    old = link[UNIT, task]
    if unit[chosen] == old:
        # Both of these cannot become its neighbours on the same side again.
        memory[pair(n, memory, task, link[NEXT, task])] = until
        memory[pair(n, memory, link[PREV, task], task)] = until
    else:
        away[task * link.shape[1] + old] = until
    unlink(link, task, n)
    link[UNIT, task] = unit[chosen]
    link[MODE, task] = chosen - first[task]
    time[TICKS, task] = ticks[chosen]
    return relocate(link, time, task, left, right)
