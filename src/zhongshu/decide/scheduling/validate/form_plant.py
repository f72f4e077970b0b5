"""Form of what a plant is: units, set-up matrices, pools, materials, vehicles, ways; an index must lead somewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from itertools import pairwise

from zhongshu.decide.scheduling.check.words import unit_name
from zhongshu.decide.scheduling.conflicts.fault import Fault, malformed
from zhongshu.decide.scheduling.problem import Problem, Unit


def plant_form(problem: Problem) -> Iterator[Fault]:
    """Everything malformed that no task has to do with."""
    for index, unit in enumerate(problem.units):
        yield from _unit(problem, index, unit)
    for k, matrix in enumerate(problem.setups):
        if not _square(matrix):
            yield malformed("setup", "setup-matrix", matrix=k)
    yield from _shared(problem)
    yield from _ways(problem)
    if not _rising(problem.prices):
        yield malformed("energy", "prices")
    for field in fields(problem.weights):
        if getattr(problem.weights, field.name) < 0:
            yield malformed("objective", "weight", name=field.name)
    if problem.moved_tolerance < 0 or (problem.churn is not None and problem.churn < 0):
        yield malformed("churn", "churn-form")


def _unit(problem: Problem, index: int, unit: Unit) -> Iterator[Fault]:
    name = unit_name(problem, index)
    for closed in unit.closed:
        if closed.end <= closed.start:
            yield malformed("calendar", "closed", None, index, unit=name, start=closed.start, end=closed.end)
    for first, second in pairwise(unit.closed):
        if second.start < first.end:
            yield malformed("calendar", "closed-order", None, index, unit=name, start=second.start)
    if not -1 <= unit.setups < len(problem.setups):
        yield malformed("setup", "unit-setups", None, index, unit=name, matrix=unit.setups)
    elif unit.family < -1 or (unit.setups >= 0 and unit.family >= len(problem.setups[unit.setups])):
        yield malformed("setup", "unit-family", None, index, unit=name, family=unit.family)
    for value in (unit.capacity, unit.buffer_in, unit.buffer_out, unit.station):
        if value is not None and value < 0:
            yield malformed("unit", "unit-negative", None, index, unit=name)


def _shared(problem: Problem) -> Iterator[Fault]:
    """Pools and materials."""
    for pool in problem.pools:
        fits = pool.levels and pool.levels[0][0] <= 0 and _rising(pool.levels)
        if not fits or any(level < 0 for _, level in pool.levels):
            yield malformed("pool", "pool-levels", pool=pool.name)
    for material in problem.materials:
        ticks = [tick for tick, _ in material.arrivals]
        if (
            material.stock < 0
            or any(quantity < 0 for _, quantity in material.arrivals)
            or ticks != sorted(ticks)
        ):
            yield malformed("material", "material-form", material=material.name)


def _ways(problem: Problem) -> Iterator[Fault]:
    """Travel between all stations, and empty travel for vehicles, wherever a lot can have to go from one to another."""
    for vehicle in problem.vehicles:
        if vehicle.station < 0:
            yield malformed("vehicle", "vehicle-station", vehicle=vehicle.name)
    for key, matrix in (("travel", problem.travel), ("empty", problem.empty)):
        if not _square(matrix):
            yield malformed("move", "way-matrix", matrix=key)
    stations = {unit.station for unit in problem.units}
    if not any(arc.moves for arc in problem.arcs) or len(stations) < 2:
        return
    if max(stations) >= len(problem.travel):
        yield malformed("move", "way-missing", matrix="travel", station=max(stations))
    if problem.vehicles:
        farthest = max(stations | {vehicle.station for vehicle in problem.vehicles})
        if farthest >= len(problem.empty):
            yield malformed("vehicle", "way-missing", matrix="empty", station=farthest)


def _square(matrix: Sequence[Sequence[int]]) -> bool:
    """As many columns as rows, nothing negative."""
    return all(len(row) == len(matrix) and min(row) >= 0 for row in matrix)


def _rising(steps: Sequence[tuple[int, int]]) -> bool:
    return all(first[0] < second[0] for first, second in pairwise(steps))
