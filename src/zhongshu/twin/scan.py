"""One tick: the due points get their values, what changed is made available, and every sample is numbered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from zhongshu.model import roles
from zhongshu.model.batch import Floats, Int64s
from zhongshu.model.plant import Point, Unit
from zhongshu.twin.face import MachineFace, VehicleFace, is_settable, is_signal
from zhongshu.twin.floor import Floor
from zhongshu.twin.profile import WORK, Profile, profile
from zhongshu.twin.rest_signals import RestingSignals, at_work, quick
from zhongshu.twin.signals import Signals
from zhongshu.twin.timing import IMAGE, Timing

MS_NS = 1_000_000
HEARTBEATS = 1 << 15
_ROLES = (roles.SAMPLE_COUNT, roles.SCAN_TIME, roles.HEARTBEAT, roles.JOB_STATE)


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """Samples made available at one tick: ``index`` into ``plant.points``, raw values as the wire carries them."""

    t_ns: int
    index: Int64s
    value: Floats


class When(Protocol):
    """Which points are sampled at which tick, as indexes in plant order."""

    @property
    def all(self) -> Int64s:
        """What the first tick makes available."""
        ...

    def due(self, tick: int) -> Int64s:
        """What is sampled at this tick."""
        ...


class Scan:
    """Values, numbering and availability of every point of the plant.

    A device's ``sample_count`` counts what it made available, the count itself included: between two samples of it lie
    exactly as many samples as it moved on. Nothing outside ``tick`` makes samples available.
    """

    def __init__(self, floor: Floor, samples: Mapping[str, str]) -> None:
        """``samples`` says ``image`` or ``change`` by connection id."""
        plant = floor.plant
        self.floor = floor
        self.points: tuple[Point, ...] = plant.points
        self.timing: When = Timing(plant, samples)
        count, units = len(self.points), len(plant.units)
        self._unit_of = np.repeat(np.arange(units), [len(u.points) for u in plant.units]).astype(np.int64)
        self._image = np.array([samples.get(u.connection) == IMAGE for u in plant.units], dtype=np.bool_)
        self._scale = np.array([p.scale for p in self.points], dtype=np.float64)
        self._offset = np.array([p.offset for p in self.points], dtype=np.float64)
        self._whole = np.array([_is_whole(p) for p in self.points], dtype=np.bool_)
        self._single = np.array([p.address.get("dtype") == "float32" for p in self.points], dtype=np.bool_)
        self._role_of = {name: self._role(name) for name in _ROLES}
        self.current: Floats = np.zeros(count)
        self._shown: Floats = np.full(count, np.nan)
        self.counts: Int64s = np.zeros(units, dtype=np.int64)
        self.beats: Int64s = np.zeros(units, dtype=np.int64)
        #: Points whose sensor is stuck, and units that say nothing at all (faults).
        self.frozen: npt.NDArray[np.bool_] = np.zeros(count, dtype=np.bool_)
        self.silent: npt.NDArray[np.bool_] = np.zeros(units, dtype=np.bool_)
        self._doing = np.zeros(units, dtype=np.int8)
        self._wear = np.zeros(units)
        self._rows, self.signals, profiles = self._signals()
        ends = np.cumsum([len(u.points) for u in plant.units], dtype=np.int64).tolist()
        firsts = [end - len(u.points) for u, end in zip(plant.units, ends, strict=True)]
        self._faces = [self._face(u, at, profiles) for u, at in zip(plant.units, firsts, strict=True)]
        led = [pair for u, at in zip(plant.units, firsts, strict=True) for pair in self._led(u, at, profiles)]
        self._resting = dict(self._rests(firsts, profiles))
        self._led_rows = np.array([row for row, _ in led], dtype=np.int64)
        self._led_by = np.array([point for _, point in led], dtype=np.int64)

    def rarely(self, timing: When) -> None:
        """Sample by this timing from now on; what it never samples is not made at all."""
        self.timing = timing
        wanted = frozenset(timing.all.tolist())
        for face in self._faces:
            face.only(wanted)

    # --- the tick

    def tick(self, tick: int, t_ns: int, *, everything: bool = False) -> Made:
        """Sample what is due at this tick (or every point) at plant time ``t_ns``; the floor must stand at that time."""
        t_ns -= t_ns % MS_NS
        due = self.timing.all if everything else self.timing.due(tick)
        if self.silent.any():
            due = due[~self.silent[self._unit_of[due]]]
        if not len(due):
            return Made(t_ns, due, np.zeros(0))
        self._refresh(due, t_ns)
        raw = self._raw(due)
        moved = (raw != self._shown[due]) | self._image[self._unit_of[due]]
        counter = self._is(due, roles.SAMPLE_COUNT)
        available = moved & ~counter
        np.add.at(self.counts, self._unit_of[due[available]], 1)
        self._count(due, raw, available, counter)
        self._shown[due[available]] = raw[available]
        return Made(t_ns, due[available], raw[available])

    def _count(
        self, due: Int64s, raw: Floats, available: npt.NDArray[np.bool_], counter: npt.NDArray[np.bool_]
    ) -> None:
        """Number the samples: the counters that moved on, or belong to an image, join what is available."""
        rows = np.flatnonzero(counter)
        units = self._unit_of[due[rows]]
        moved = (self.counts[units] != self._shown[due[rows]]) | self._image[units]
        rows, units = rows[moved], units[moved]
        self.counts[units] += 1
        raw[rows] = self.counts[units]
        available[rows] = True

    def _refresh(self, due: Int64s, t_ns: int) -> None:
        kept = due[self.frozen[due]]
        before = self.current[kept].copy()
        shown = set(self._unit_of[due[self._is(due, roles.JOB_STATE)]].tolist())
        for unit in np.unique(self._unit_of[due]).tolist():
            self._doing[unit], self._wear[unit] = self._faces[unit].fill(self.current, job=unit in shown)
            if (own := self._resting.get(unit)) is not None:
                own.tell(self.signals.forced, t_ns)
        rows = self._rows[due]
        measured = rows >= 0
        self.signals.setpoint[self._led_rows] = self.current[self._led_by]
        self.current[due[measured]] = self.signals.at(rows[measured], t_ns, self._doing, self._wear)
        self.current[due[self._is(due, roles.SCAN_TIME)]] = t_ns // MS_NS
        beating = due[self._is(due, roles.HEARTBEAT)]
        self.beats[self._unit_of[beating]] = (self.beats[self._unit_of[beating]] + 1) % HEARTBEATS
        self.current[beating] = self.beats[self._unit_of[beating]]
        self.current[kept] = before

    def _raw(self, due: Int64s) -> Floats:
        """Engineering values as the wire carries them: unscaled, whole where the type is, single precision where it is."""
        raw = (self.current[due] - self._offset[due]) / self._scale[due]
        whole, single = self._whole[due], self._single[due]
        raw[whole] = np.rint(raw[whole])
        raw[single] = raw[single].astype(np.float32)
        return raw

    def _is(self, due: Int64s, role: str) -> npt.NDArray[np.bool_]:
        return self._role_of[role][due]

    def _role(self, role: str) -> npt.NDArray[np.bool_]:
        return np.array([p.role == role for p in self.points], dtype=np.bool_)

    def drift(self, point: int, share_per_h: float) -> None:
        """From now on a measured point drifts by that share of its range an hour; 0 ends it. Other points never drift."""
        row = int(self._rows[point])
        if row >= 0:
            self.signals.fault_rate[row] = share_per_h * self.signals.span[row]
            self.signals.fault_since[row] = self.floor.now_ns

    # --- how it is built

    def _signals(self) -> tuple[Int64s, Signals, dict[int, Profile]]:
        """The measured points: row in the signals by point (−1 for others), the signals, profiles by point."""
        plant = self.floor.plant
        profiles = {
            i: profile(p, plant.unit_of[p.unit], self.floor.machines.get(p.unit), self.floor.truth.signals)
            for i, p in enumerate(self.points)
            if is_signal(p)
        }
        at = np.fromiter(profiles, dtype=np.int64, count=len(profiles))
        rows = np.full(len(self.points), -1, dtype=np.int64)
        profiles = {i: quick(self.points[i], p, plant) for i, p in profiles.items()}
        rows[at] = np.arange(len(at))
        names = [self.points[i].path for i in profiles]
        return rows, Signals(list(profiles.values()), names, self._unit_of[at], self.floor.seed), profiles

    def _face(self, unit: Unit, first: int, profiles: dict[int, Profile]) -> MachineFace | VehicleFace:
        """``first`` is the index of the unit's first point."""
        own = [(first + i, p) for i, p in enumerate(unit.points) if first + i not in profiles]
        if unit.id in self.floor.vehicles:
            return VehicleFace(self.floor.vehicles[unit.id], own)
        machine = self.floor.machines[unit.id]
        return MachineFace(machine, own, _defaults(unit, first, profiles) | at_work(machine.kind))

    def _rests(
        self, firsts: list[int], profiles: Mapping[int, Profile]
    ) -> Iterator[tuple[int, RestingSignals]]:
        """What units that rest show of it, by the unit's number."""
        for number, (unit, first) in enumerate(zip(self.floor.plant.units, firsts, strict=True)):
            machine = self.floor.machines.get(unit.id)
            if machine is not None and machine.kind.rest is not None:
                yield (
                    number,
                    RestingSignals(
                        machine,
                        machine.kind.rest,
                        {
                            int(self._rows[first + i]): (p, profiles[first + i])
                            for i, p in enumerate(unit.points)
                            if first + i in profiles
                        },
                    ),
                )

    def _led(self, unit: Unit, first: int, profiles: dict[int, Profile]) -> list[tuple[int, int]]:
        """Which of the unit's signals (by row) a set-point (by point) leads."""
        pairs = [(first + i, first + j) for i, j in leads(unit) if first + i in profiles]
        for signal, _ in pairs:
            self.signals.hold[self._rows[signal]] = self.points[signal].uom == "°C"
        return [(int(self._rows[signal]), setpoint) for signal, setpoint in pairs]

    # --- snapshot

    def dump(self) -> dict[str, Any]:
        """Counts by unit, heartbeats and where the signals stand."""
        names = [u.id for u in self.floor.plant.units]
        return {
            "counts": dict(zip(names, self.counts.tolist(), strict=True)),
            "beats": dict(zip(names, self.beats.tolist(), strict=True)),
            "signals": self.signals.dump(),
        }

    def restore(self, state: Mapping[str, Any], *, counts: bool) -> None:
        """Go on; without ``counts`` (after a crash) every device numbers its samples from 0 again, as after a restart."""
        for number, unit in enumerate(self.floor.plant.units):
            self.beats[number] = state["beats"].get(unit.id, 0)
            if counts:
                self.counts[number] = state["counts"].get(unit.id, 0)
        self.signals.restore(state["signals"], self.floor.now_ns)


def leads(unit: Unit) -> list[tuple[int, int]]:
    """(signal, set-point) pairs of a unit by their names and units of measure.

    ``bath_temperature`` and ``zone_2_temperature`` follow ``bath_temperature_set`` and ``zone_temperature_set``;
    ``wire_tension`` follows ``tension_set``.
    """
    setpoints = [(_stem(p.name), p.uom, i) for i, p in enumerate(unit.points) if is_settable(p)]
    pairs: list[tuple[int, int]] = []
    for i, point in enumerate(unit.points):
        if not is_signal(point):
            continue
        stem = _stem(point.name)
        same = [j for name, uom, j in setpoints if uom == point.uom and name == stem]
        like = [j for name, uom, j in setpoints if uom == point.uom and stem.endswith(f"_{name}")]
        if same or like:
            pairs.append((i, (same or like)[0]))
    return pairs


def _stem(name: str) -> str:
    for ending in ("_setpoint", "_set", "_sp", "_target", "_actual"):
        name = name.removesuffix(ending)
    return re.sub(r"_\d+(?=_|$)", "", name)


def _defaults(unit: Unit, first: int, profiles: Mapping[int, Profile]) -> dict[str, float]:
    """What set-points stand at when nobody ever wrote them: what the signal they lead does anyway, or 60 % of the range."""
    led = {setpoint: first + signal for signal, setpoint in leads(unit)}
    made: dict[str, float] = {}
    for i, p in enumerate(unit.points):
        if is_settable(p):
            low, high = p.low or 0.0, p.high if p.high is not None else 100.0
            value = profiles[led[i]].targets[WORK] if led.get(i) in profiles else low + 0.6 * (high - low)
            made[p.name] = float(round(min(max(value, low), high), 0 if p.kind != "float" else 2))
    return made


def _is_whole(point: Point) -> bool:
    if point.kind != "float":
        return True
    return "int" in str(point.address.get("dtype", "")) or point.address.get("dtype") == "bit"
