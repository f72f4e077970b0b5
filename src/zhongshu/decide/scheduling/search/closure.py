"""A task with everything that has to be placed before it or together with it: predecessors, blockers, maximum waits."""

from __future__ import annotations

from zhongshu.decide.compiled import kernel
from zhongshu.decide.scheduling.problem import NEVER
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.choose import choose_mode
from zhongshu.decide.scheduling.search.commit import fetch_at_once
from zhongshu.decide.scheduling.search.journal import clear, forget, take_back
from zhongshu.decide.scheduling.search.place import FAILED, PLACED, lag_ready, place

PUSHES_MAX = 40


@kernel
def place_all(d: at.Flat, task: int) -> bool:
    """Place the task after all that it needs; False when that goes in a circle (deadlock) or nothing fits."""
    d[d[at.STACK] + 0], top = (task, 0)
    d[d[at.WAITING] + task] = 1
    placed = True
    while top >= 0 and placed:
        now = d[d[at.STACK] + top]
        need = PLACED if d[d[at.DONE] + now] else place_component(d, now)
        if need == PLACED:
            d[d[at.WAITING] + now] = 0
            top -= 1
        elif need == FAILED or d[d[at.WAITING] + need]:
            placed = False
        else:
            top += 1
            d[d[at.STACK] + top] = need
            d[d[at.WAITING] + need] = 1
    while top >= 0:
        d[d[at.WAITING] + d[d[at.STACK] + top]] = 0
        top -= 1
    return placed


@kernel
def place_component(d: at.Flat, task: int) -> int:
    """Tasks tied by maximum waits are placed together, so that the earlier ones can still be pushed later."""
    if d[d[at.SETTINGS] + 1]:
        forget(d)  # dispatching never goes back
    count = component_of(d, task)
    if d[d[at.SETTINGS] + 1]:
        choose_modes(d, count)
    if count == 1 or count == count_mates(d, task):
        clear(d, at.JOINT, count)
        need = place(d, task)
    else:
        need = place_joint(d, count)
        clear(d, at.JOINT, count)
        clear(d, at.NOT_BEFORE, count)
    if need == PLACED and d[d[at.SETTINGS] + 0]:
        for k in range(count):
            fetch_at_once(d, d[d[at.COMPONENT] + k])
    return need


@kernel
def choose_modes(d: at.Flat, count: int) -> None:
    """While dispatching, modes are chosen when they are needed; the members of a batch follow the first of them."""
    for k in range(count):
        task = d[d[at.COMPONENT] + k]
        if d[d[at.MATE] + task] == task:
            choose_mode(d, task)
    if d[d[at.SETTINGS] + 0]:
        for k in range(count):
            task = d[d[at.COMPONENT] + k]
            for n in range(d[d[at.OUT_PTR] + task], d[d[at.OUT_PTR] + (task + 1)]):
                after = d[d[at.AFTER] + d[d[at.OUT_ARC] + n]]
                if d[d[at.MATE] + after] == after and (not d[d[at.DONE] + after]):
                    choose_mode(d, after)


@kernel
def count_mates(d: at.Flat, task: int) -> int:
    """How many tasks share the batch."""
    count, mate = (1, d[d[at.MATE] + task])
    while mate != task:
        count += 1
        mate = d[d[at.MATE] + mate]
    return count


@kernel
def component_of(d: at.Flat, task: int) -> int:
    """The task, its batch mates, and everything tied to them by maximum waits, into COMPONENT."""
    d[d[at.COMPONENT] + 0], count, k = (task, 1, 0)
    d[d[at.JOINT] + task] = 1
    while k < count:
        now = d[d[at.COMPONENT] + k]
        k += 1
        if not d[d[at.JOINT] + d[d[at.MATE] + now]]:
            count = add(d, count, d[d[at.MATE] + now])
        for n in range(d[d[at.IN_PTR] + now], d[d[at.IN_PTR] + (now + 1)]):
            arc = d[d[at.IN_ARC] + n]
            other = d[d[at.BEFORE] + arc]
            if (
                d[d[at.LAG_MAX] + arc] < NEVER
                and other >= 0
                and (not d[d[at.JOINT] + other])
                and (not d[d[at.DONE] + other])
            ):
                count = add(d, count, other)
        for n in range(d[d[at.OUT_PTR] + now], d[d[at.OUT_PTR] + (now + 1)]):
            arc = d[d[at.OUT_ARC] + n]
            other = d[d[at.AFTER] + arc]
            if (
                d[d[at.LAG_MAX] + arc] < NEVER
                and (not d[d[at.JOINT] + other])
                and (not d[d[at.DONE] + other])
            ):
                count = add(d, count, other)
    return count


@kernel
def add(d: at.Flat, count: int, task: int) -> int:
    """One more member."""
    d[d[at.COMPONENT] + count] = task
    d[d[at.JOINT] + task] = 1
    return count + 1


@kernel
def place_joint(d: at.Flat, count: int) -> int:
    """Place all members; where one waits too long for another, push the earlier one later and begin again."""
    sort_by_place(d, count)
    clear(d, at.NOT_BEFORE, count)
    mark = d[d[at.JOURNAL]]
    for _ in range(PUSHES_MAX):
        left, progress, wanted = (count, True, PLACED)
        while left > 0 and progress:
            progress = False
            for k in range(count):
                task = d[d[at.COMPONENT] + k]
                if d[d[at.DONE] + task]:
                    continue
                need = place(d, task)
                if need == PLACED:
                    progress = True
                    break
                if need == FAILED or not d[d[at.JOINT] + need]:
                    wanted = need
                    break
            if wanted != PLACED:
                break
            left = 0
            for k in range(count):
                left += not d[d[at.DONE] + d[d[at.COMPONENT] + k]]
        if wanted != PLACED or left > 0:
            take_back(d, mark)
            return wanted if wanted != PLACED else FAILED
        if not push_later(d, count):
            return PLACED
        take_back(d, mark)
    return FAILED


@kernel
def sort_by_place(d: at.Flat, count: int) -> None:
    """Members in the order of the list."""
    for k in range(1, count):
        task, m = (d[d[at.COMPONENT] + k], k)
        while m > 0 and d[d[at.PLACE] + d[d[at.COMPONENT] + (m - 1)]] > d[d[at.PLACE] + task]:
            d[d[at.COMPONENT] + m] = d[d[at.COMPONENT] + (m - 1)]
            m -= 1
        d[d[at.COMPONENT] + m] = task


@kernel
def push_later(d: at.Flat, count: int) -> bool:
    """True when somebody within the component waits too long; the earlier task then gets a later start."""
    pushed = False
    for k in range(count):
        task = d[d[at.COMPONENT] + k]
        for n in range(d[d[at.IN_PTR] + task], d[d[at.IN_PTR] + (task + 1)]):
            arc = d[d[at.IN_ARC] + n]
            before = d[d[at.BEFORE] + arc]
            if d[d[at.LAG_MAX] + arc] >= NEVER or before < 0 or (not d[d[at.JOINT] + before]):
                continue
            late = (
                d[d[at.START] + task] - (lag_ready(d, arc) - d[d[at.LAG_MIN] + arc]) - d[d[at.LAG_MAX] + arc]
            )
            if late > 0:
                d[d[at.NOT_BEFORE] + before] = max(
                    d[d[at.NOT_BEFORE] + before], d[d[at.START] + before] + late
                )
                pushed = True
    return pushed
