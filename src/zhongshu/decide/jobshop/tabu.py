"""Tabu search over machine orders: blocks of a critical path in, the best schedule met out (N7, Zhang et al. 2007)."""

from __future__ import annotations

from zhongshu.decide.jobshop.compiled import Indexes, Ints, Words, compiled, draw
from zhongshu.decide.jobshop.critical import WORST, backward_estimate, critical_path, forward_estimate
from zhongshu.decide.jobshop.plan import NEXT, PREV, TOPO, UNIT, relocate, unlink

#: The counters of a run, in ``run``: rounds made, makespan now, best makespan, round of the best, patience (rounds
#: without a better one), bound (nothing is shorter), tenure.
ROUND, NOW, BEST, AT, PATIENCE, BOUND, TENURE = range(7)
COUNTERS = 7
#: The best move so far and the number of its equals; a random move of any sort and the number of those; blocks to break.
VALUE, TASK, WHERE, FORWARD, TIES, ANY_TASK, ANY_WHERE, ANY_FORWARD, ANY_TIES, BLOCKS = range(10)


@compiled
def tabu_orders(
    link: Indexes,
    time: Ints,
    run: Ints,
    memory: Indexes,
    best: Indexes,
    path: Indexes,
    room: Ints,
    pick: Ints,
    rng: Words,
    rounds: int,
) -> bool:
    """Up to so many rounds; True when the run is over: out of patience, at the bound, or provably optimal.

    ``memory``: until which round one task may not come before another again, by pair. ``best``: the best's order in its
    first row. ``path``, ``room`` (n + 1), ``pick``: room to work in.
    """
    n = time.shape[1] - 1
    until = run[ROUND] + rounds
    while run[ROUND] < until:
        if run[BEST] <= run[BOUND] or run[ROUND] - run[AT] > run[PATIENCE]:
            return True
        length = critical_path(link, time, run[NOW], path, rng)
        best_swap(link, time, path, length, run, memory, pick, room, rng)
        if pick[TASK] < 0:
            # A path without a block to break is as long as a job or a machine's work: nothing is shorter.
            if pick[BLOCKS] == 0:
                run[BOUND] = run[NOW]
            return True
        run[ROUND] += 1
        run[NOW] = carry_out_swap(link, time, run, memory, pick, rng)
        if run[NOW] < run[BEST]:
            run[BEST] = run[NOW]
            run[AT] = run[ROUND]
            for at in range(n):
                best[0, at] = link[TOPO, at]
    return False


@compiled
def pair(n: int, memory: Indexes, one: int, other: int) -> int:
    """Where the memory of an ordered pair lies; very large shops share places."""
    return (one * (n + 1) + other) % memory.size


@compiled
def best_swap(
    link: Indexes,
    time: Ints,
    path: Indexes,
    length: int,
    run: Ints,
    memory: Indexes,
    pick: Ints,
    room: Ints,
    rng: Words,
) -> None:
    """The best move that is not tabu into ``pick``, or else a random tabu one, or else task -1."""
    pick[VALUE] = WORST
    pick[TASK] = pick[ANY_TASK] = -1
    pick[TIES] = pick[ANY_TIES] = pick[BLOCKS] = 0
    first = 0
    while first < length:
        last = first
        while last + 1 < length and link[UNIT, path[last + 1]] == link[UNIT, path[first]]:
            last += 1
        if last > first and not (first == 0 and last == length - 1):
            pick[BLOCKS] += 1
            # To its end and from its start into it, unless nothing comes behind; and the mirror image of it.
            if last < length - 1:
                for place in range(first, last):
                    _offer(link, time, path[place], path[last], 1, run, memory, pick, room, rng)
                for place in range(first + 1, last - 1):
                    _offer(link, time, path[last], path[place], 0, run, memory, pick, room, rng)
            if first > 0:
                for place in range(first + 1, last + 1):
                    # Two neighbours swap only once.
                    if last > first + 1 or last == length - 1:
                        _offer(link, time, path[place], path[first], 0, run, memory, pick, room, rng)
                for place in range(first + 2, last):
                    _offer(link, time, path[first], path[place], 1, run, memory, pick, room, rng)
        first = last + 1
    if pick[TASK] < 0 and pick[ANY_TASK] >= 0:
        pick[TASK], pick[WHERE], pick[FORWARD] = pick[ANY_TASK], pick[ANY_WHERE], pick[ANY_FORWARD]


@compiled
def _offer(
    link: Indexes,
    time: Ints,
    task: int,
    where: int,
    forward: int,
    run: Ints,
    memory: Indexes,
    pick: Ints,
    room: Ints,
    rng: Words,
) -> None:
    """Keep the move if it is the best so far that is not tabu; among equals a random one."""
    n = time.shape[1] - 1
    if forward == 1:
        value = forward_estimate(link, time, task, where, pick[VALUE], room)
    else:
        value = backward_estimate(link, time, task, where, pick[VALUE], room)
    if value == WORST:
        return
    if pick[TASK] < 0:
        pick[ANY_TIES] += 1
        if draw(rng, pick[ANY_TIES]) == 0:
            pick[ANY_TASK], pick[ANY_WHERE], pick[ANY_FORWARD] = task, where, forward
    if value > pick[VALUE]:
        return
    if value >= run[BEST]:
        if forward == 1 and _forbidden_forward(link, memory, task, where, run[ROUND], n):
            return
        if forward == 0 and _forbidden_backward(link, memory, task, where, run[ROUND], n):
            return
    if value < pick[VALUE]:
        pick[TIES] = 0
    pick[TIES] += 1
    if draw(rng, pick[TIES]) == 0:
        pick[VALUE], pick[TASK], pick[WHERE], pick[FORWARD] = value, task, where, forward


@compiled
def _forbidden_forward(link: Indexes, memory: Indexes, task: int, where: int, now: int, n: int) -> bool:
    """Whether any task that would come before ``task`` may not."""
    one = task
    while one != where:
        one = link[NEXT, one]
        if memory[pair(n, memory, one, task)] > now:
            return True
    return False


@compiled
def _forbidden_backward(link: Indexes, memory: Indexes, task: int, where: int, now: int, n: int) -> bool:
    """Whether ``task`` may not come before any that would come behind it."""
    one = task
    while one != where:
        one = link[PREV, one]
        if memory[pair(n, memory, task, one)] > now:
            return True
    return False


@compiled
def carry_out_swap(link: Indexes, time: Ints, run: Ints, memory: Indexes, pick: Ints, rng: Words) -> int:
    """Carry a move out; the order it reverses stays forbidden for the tenure. The new makespan."""
    n = time.shape[1] - 1
    task, where = pick[TASK], pick[WHERE]
    until = run[ROUND] + run[TENURE] + draw(rng, max(1, run[TENURE] // 2))
    if pick[FORWARD] == 1:
        one = task
        while one != where:
            one = link[NEXT, one]
            memory[pair(n, memory, task, one)] = until
        left, right = where, link[NEXT, where]
    else:
        one = task
        while one != where:
            one = link[PREV, one]
            memory[pair(n, memory, one, task)] = until
        left, right = link[PREV, where], where
    unlink(link, task, n)
    return relocate(link, time, task, left, right)
