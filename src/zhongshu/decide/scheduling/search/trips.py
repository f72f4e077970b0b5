"""Vehicles: each a chain of trips; a new trip goes into the earliest gap it fits in, empty travel before and after it."""

from __future__ import annotations

from zhongshu.decide.compiled import kernel
from zhongshu.decide.scheduling.problem import NEVER
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.journal import put

GAPS_MAX = 60


@kernel
def best_trip(d: at.Flat, start: int, end: int, pickup_min: int, drop_min: int) -> tuple[int, int, int]:
    """(vehicle, trip before it, pickup) of the earliest pickup from station ``start`` to ``end``; vehicle -1: none needed."""
    if start == end:
        return (-1, -1, max(pickup_min, drop_min))
    loaded = d[d[at.TRAVEL] + start * d[at.STATIONS] + end]
    wanted = max(pickup_min, drop_min - loaded)
    if d[at.VEHICLES] == 0:
        return (-1, -1, wanted)
    best, best_before, best_pickup, best_idle = (-1, -1, NEVER, NEVER)
    for vehicle in range(d[at.VEHICLES]):
        before, pickup, idle = earliest_gap(d, vehicle, start, end, wanted, loaded, best_pickup, best_idle)
        if pickup < best_pickup or (pickup == best_pickup and idle < best_idle):
            best, best_before, best_pickup, best_idle = (vehicle, before, pickup, idle)
    return (best, best_before, best_pickup)


@kernel
def earliest_gap(
    d: at.Flat, vehicle: int, start: int, end: int, wanted: int, loaded: int, beaten: int, least_idle: int
) -> tuple[int, int, int]:
    """(trip before, pickup, idle ticks before it) for one vehicle; those no better than (``beaten``, ``least_idle``) are passed over."""
    found_before, found_pickup, found_idle = (-1, NEVER, NEVER)
    later, before, until = (-1, d[d[at.TAIL] + vehicle], NEVER)
    for _ in range(GAPS_MAX):
        free = d[d[at.DROP] + before] if before >= 0 else d[d[at.VEHICLE_READY] + vehicle]
        if beaten == wanted and wanted - free >= least_idle:
            break  # the vehicle would wait longer, here and in every earlier gap
        if free <= beaten and max(free, wanted) + loaded <= until:
            came_from = d[d[at.TRIP_TO] + before] if before >= 0 else d[d[at.VEHICLE_STATION] + vehicle]
            pickup = max(wanted, free + d[d[at.EMPTY] + came_from * d[at.STATIONS] + start])
            if (
                later < 0
                or pickup + loaded + d[d[at.EMPTY] + end * d[at.STATIONS] + d[d[at.TRIP_FROM] + later]]
                <= until
            ):
                found_before, found_pickup, found_idle = (before, pickup, pickup - free)
        if before < 0 or d[d[at.PICKUP] + before] < wanted + loaded:
            break
        later, before, until = (before, d[d[at.LEADING] + before], d[d[at.PICKUP] + before])
    return (found_before, found_pickup, found_idle)


@kernel
def drive(d: at.Flat, arc: int, start: int, end: int, pickup_min: int, drop_min: int) -> int:
    """Give the arc its trip; returns the drop."""
    vehicle, before, pickup = best_trip(d, start, end, pickup_min, drop_min)
    drop = pickup if start == end else pickup + d[d[at.TRAVEL] + start * d[at.STATIONS] + end]
    before_task = d[d[at.BEFORE] + arc]
    if before_task >= 0 and d[d[at.LEFT] + before_task] > pickup:
        put(d, d[at.LEFT] + before_task, pickup)  # fetched from the unit before there was room behind it
    put(d, d[at.PICKUP] + arc, pickup)
    put(d, d[at.DROP] + arc, drop)
    put(d, d[at.VEHICLE] + arc, vehicle)
    put(d, d[at.TRIP_FROM] + arc, start)
    put(d, d[at.TRIP_TO] + arc, end)
    if vehicle < 0:
        return drop
    later = d[d[at.FOLLOWING] + before] if before >= 0 else d[d[at.HEAD] + vehicle]
    put(d, d[at.LEADING] + arc, before)
    put(d, d[at.FOLLOWING] + arc, later)
    if before >= 0:
        put(d, d[at.FOLLOWING] + before, arc)
    else:
        put(d, d[at.HEAD] + vehicle, arc)
    if later >= 0:
        put(d, d[at.LEADING] + later, arc)
    else:
        put(d, d[at.TAIL] + vehicle, arc)
    return drop
