"""Holds a history against the twin's own journal, sample by sample: what is missing, what is too much, what the ledger says."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zhongshu.historian.query import Offline
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.store import Store
from zhongshu.model import roles
from zhongshu.model.batch import TIME_RECEIVED
from zhongshu.model.plant import Plant
from zhongshu.twin.truth import Truth

KEY = np.dtype([("point", np.int64), ("t_ns", np.int64)])


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts of samples; ``lost`` are in neither history nor ledger, ``invented`` were never made."""

    made: int
    stored: int
    lost: int
    doubled: int
    invented: int
    different: int
    in_gaps: int
    ledger_says: int


def compare(data: Path, plant_file: Path, truth_folder: Path) -> Verdict:
    """From each device's first stored counter on until the last thing stored of it."""
    plant = assign_ids(load_plant(plant_file), Store(f"sqlite:///{data / 'store.db'}"))
    truth = Truth(truth_folder)
    made = truth.samples()
    ids = {p.path: p.id for p in plant.points}
    made_point = np.array([ids[path] for path in truth.paths])[made.point]
    history = Offline(data / "history")
    rows = history.rows(None, -(2**62), 2**62)
    point = rows["point"].to_numpy().astype(np.int64)
    t_ns, value = rows["t_ns"].to_numpy(), rows["value"].to_numpy()
    own = (rows["quality"].to_numpy().astype(np.int64) & TIME_RECEIVED) == 0
    point, t_ns, value = point[own], t_ns[own], value[own]

    first, last = _span(plant, point, t_ns)
    unit = _unit_of(plant)
    inside = (made.t_ns > first[unit[made_point]]) & (made.t_ns <= last[unit[made_point]])
    there = _keys(made_point[inside], made.t_ns[inside])
    stored_inside = (t_ns > first[unit[point]]) & (t_ns <= last[unit[point]])
    stored, index = np.unique(_keys(point[stored_inside], t_ns[stored_inside]), return_index=True)
    missing = ~np.isin(there, stored)
    gap = _in_gaps(data, plant, made_point[inside][missing], made.t_ns[inside][missing])
    return Verdict(
        made=len(there),
        stored=len(stored),
        lost=int((~gap).sum()),
        doubled=int(stored_inside.sum()) - len(stored),
        invented=int((~np.isin(stored, there)).sum()),
        different=_different(plant, there, made.value[inside], stored, value[stored_inside][index]),
        in_gaps=int(gap.sum()),
        ledger_says=_ledger_says(data),
    )


def jobs_started(truth_folder: Path) -> Counter[tuple[int, int]]:
    """How often each (lot, key) began; more than once would be a job started twice."""
    starts = [e for e in Truth(truth_folder).events("job") if not e["end"]]
    return Counter((int(e["lot"]), int(e["key"])) for e in starts)


def _keys(point: np.ndarray, t_ns: np.ndarray) -> np.ndarray:
    keys = np.empty(len(point), KEY)
    keys["point"], keys["t_ns"] = point, t_ns
    return keys


def _unit_of(plant: Plant) -> np.ndarray:
    unit = np.zeros(max(p.id for p in plant.points) + 1, np.int64)
    for index, u in enumerate(plant.units):
        unit[[p.id for p in u.points]] = index
    return unit


def _span(plant: Plant, point: np.ndarray, t_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By unit: times of the first and last stored counter sample."""
    first, last = np.full(len(plant.units), 2**62), np.full(len(plant.units), -(2**62))
    for index, unit in enumerate(plant.units):
        counter = plant.role(unit, roles.SAMPLE_COUNT)
        assert counter is not None
        times = t_ns[point == counter.id]
        if len(times):
            first[index], last[index] = times.min(), times.max()
    return first, last


def _in_gaps(data: Path, plant: Plant, point: np.ndarray, t_ns: np.ndarray) -> np.ndarray:
    """True where the ledger knows that the sample is missing."""
    covered = np.zeros(len(point), np.bool_)
    unit_of = _unit_of(plant)
    index = {u.id: i for i, u in enumerate(plant.units)}
    connection = np.array([u.connection for u in plant.units])
    with sqlite3.connect(data / "store.db") as store:
        gaps = store.execute("select connection, unit, points, start_ns, end_ns from gaps").fetchall()
    for name, unit, _points, start_ns, end_ns in gaps:
        within = (t_ns >= start_ns) & (t_ns <= end_ns)
        if unit:
            within &= unit_of[point] == index[unit]
        else:
            within &= connection[unit_of[point]] == name
        covered |= within
    return covered


def _ledger_says(data: Path) -> int:
    with sqlite3.connect(data / "store.db") as store:
        return int(
            store.execute("select coalesce(sum(missing), 0) from gaps where missing > 0").fetchone()[0]
        )


def _different(
    plant: Plant, there: np.ndarray, made: np.ndarray, stored: np.ndarray, value: np.ndarray
) -> int:
    """Samples stored with another value than was made (floats travel as 32 bits on Modbus).

    Hand-shake points and the set-points of devices with register images are left out: such a register answers at once, between
    two scans, so a scan that is read after a request shows it already.
    """
    order = np.argsort(there)
    at = np.searchsorted(there[order], stored)
    at = np.minimum(at, len(there) - 1)
    same = there[order][at] == stored
    close = np.isclose(made[order][at], value, rtol=1e-6, atol=1e-6)
    answers = [p.id for p in plant.points if p.role.startswith(("request_", "command_"))]
    scanned = {u.id for u in plant.units if plant.role(u, roles.SCAN_TIME) is not None}
    answers += [p.id for p in plant.points if p.writable and p.unit in scanned]
    return int((same & ~close & ~np.isin(stored["point"], answers)).sum())
