"""Each constraint of a problem that people could give way on, one by one, with a way to take it out of the problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from zhongshu.decide.scheduling.check.words import both, job_name, task_name, unit_name
from zhongshu.decide.scheduling.problem import AT_HAND, Problem

#: More than any problem can use.
PLENTY = 2**40


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One constraint: its kind as the checker calls it, its words in English and Chinese, and the problem without it."""

    constraint: str
    words: tuple[str, str]
    without: Callable[[Problem], Problem]


def relaxations(problem: Problem) -> tuple[Relaxation, ...]:
    """All there are, those that people change least readily first: the last ones are the first to be blamed."""
    found: list[Relaxation] = []
    for part in (_calendars, _buffers, _shared, _releases, _waits, _settled, _pins):
        found.extend(part(problem))
    return tuple(found)


def without(problem: Problem, dropped: Iterable[Relaxation]) -> Problem:
    """The problem with all of these taken out."""
    for relaxation in dropped:
        problem = relaxation.without(problem)
    return problem


def _named(constraint: str, change: Callable[[Problem], Problem], key: str, **values: Any) -> Relaxation:
    return Relaxation(constraint, both(f"conflict.{key}", **values), change)


def _calendars(problem: Problem) -> Iterator[Relaxation]:
    for index, unit in enumerate(problem.units):
        name = unit_name(problem, index)
        if unit.closed:
            yield _named("calendar", _unit(index, closed=()), "calendar", unit=name)
        if unit.ready > 0:
            yield _named("ready", _unit(index, ready=0), "ready", unit=name)
        if unit.setups >= 0:
            yield _named("setup", _unit(index, setups=-1), "setup", unit=name)


def _buffers(problem: Problem) -> Iterator[Relaxation]:
    for index, unit in enumerate(problem.units):
        name = unit_name(problem, index)
        if unit.buffer_in is not None:
            yield _named("buffer_in", _unit(index, buffer_in=None), "buffer-in", unit=name)
        if unit.buffer_out is not None:
            yield _named("buffer_out", _unit(index, buffer_out=None), "buffer-out", unit=name)
    if problem.vehicles:
        # Travel still takes its time; there are as many carriers as it takes.
        yield _named("vehicle", lambda p: replace(p, vehicles=()), "vehicle")


def _shared(problem: Problem) -> Iterator[Relaxation]:
    for index, pool in enumerate(problem.pools):
        endless = replace(pool, levels=((0, PLENTY),))
        yield _named("pool", _entry("pools", index, endless), "pool", pool=pool.name)
    for index, material in enumerate(problem.materials):
        yield _named(
            "material",
            _entry("materials", index, replace(material, stock=PLENTY)),
            "material",
            material=material.name,
        )


def _releases(problem: Problem) -> Iterator[Relaxation]:
    for index, job in enumerate(problem.jobs):
        if job.release > 0:
            change = _entry("jobs", index, replace(job, release=0))
            yield _named("release", change, "release", job=job_name(problem, index))


def _waits(problem: Problem) -> Iterator[Relaxation]:
    for index, arc in enumerate(problem.arcs):
        if arc.lag_max is not None:
            before = both("reason.lot") if arc.before == AT_HAND else task_name(problem, arc.before)
            names = {"before": before, "after": task_name(problem, arc.after)}
            yield _named("lag_max", _entry("arcs", index, replace(arc, lag_max=None)), "lag-max", **names)


def _settled(problem: Problem) -> Iterator[Relaxation]:
    if problem.churn is not None:
        yield _named("churn", lambda p: replace(p, churn=None), "churn", budget=problem.churn)
    for unit, _ in problem.frozen:
        name = unit_name(problem, unit)
        yield _named("frozen", _unfrozen(unit), "frozen", unit=name)


def _pins(problem: Problem) -> Iterator[Relaxation]:
    """What has started is a fact and stays."""
    for pin in problem.pins:
        if not pin.started:
            yield _named("pin", _unpinned(pin.task), "pin", task=task_name(problem, pin.task))


def _unit(index: int, **values: Any) -> Callable[[Problem], Problem]:
    def change(problem: Problem) -> Problem:
        units = list(problem.units)
        units[index] = replace(units[index], **values)
        return replace(problem, units=tuple(units))

    return change


def _entry(book: str, index: int, entry: Any) -> Callable[[Problem], Problem]:
    def change(problem: Problem) -> Problem:
        entries = list(getattr(problem, book))
        entries[index] = entry
        changed: dict[str, Any] = {book: tuple(entries)}
        return replace(problem, **changed)

    return change


def _unpinned(task: int) -> Callable[[Problem], Problem]:
    return lambda problem: replace(problem, pins=tuple(p for p in problem.pins if p.task != task))


def _unfrozen(unit: int) -> Callable[[Problem], Problem]:
    return lambda problem: replace(problem, frozen=tuple(f for f in problem.frozen if f[0] != unit))
