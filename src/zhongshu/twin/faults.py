"""Faults on demand: what an outside hand may do to machines, sensors, vehicles and connections of the twin."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from zhongshu.kernel.strings import LANGUAGES, strings_of
from zhongshu.twin.floor import Floor
from zhongshu.twin.lane import Lane
from zhongshu.twin.scan import Scan
from zhongshu.twin.words import say

log = logging.getLogger(__name__)

MACHINE, VEHICLE, UNIT, POINT, CONNECTION, ANY = "machine", "vehicle", "unit", "point", "connection", "any"


class FaultError(ValueError):
    """The fault asked for cannot be made; ``key`` and ``values`` name the words in strings.toml."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(say(key, **values))
        self.key, self.values = key, values


@dataclass(frozen=True, slots=True)
class FaultKind:
    """``target`` is what it strikes; ``parameter`` its one number ("" for none) with default and limits."""

    name: str
    target: str
    parameter: str = ""
    default: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def text(self, language: str) -> str:
        """What it does, in ``zh`` or ``en``."""
        return strings_of("zhongshu.twin").text(f"fault.{self.name}", language)


KINDS: Mapping[str, FaultKind] = {
    kind.name: kind
    for kind in (
        FaultKind("breakdown", MACHINE),
        FaultKind("slow", UNIT, "factor", 1.5, 1.0, 100.0),
        FaultKind("scrap", MACHINE, "share", 0.2, 0.0, 1.0),
        FaultKind("local", UNIT),
        FaultKind("lost", VEHICLE),
        FaultKind("stall", VEHICLE),
        FaultKind("drift", POINT, "share_per_h", 0.2, -100.0, 100.0),
        FaultKind("frozen", POINT),
        FaultKind("drop", CONNECTION, "seconds", 10.0, 0.1, 3600.0),
        FaultKind("restart", CONNECTION),
        FaultKind("clear", ANY),
    )
}
#: Those that change the physical plant itself and therefore belong to its log of inputs.
PHYSICAL = frozenset({"breakdown", "slow", "scrap", "local", "lost", "stall"})
#: Those that pass by themselves.
PASSING = frozenset({"breakdown", "stall", "drop", "restart"})


def kinds() -> list[dict[str, Any]]:
    """Every kind with target, parameter and words in both languages, for help pages."""
    return [
        {
            "kind": k.name,
            "target": k.target,
            "parameter": k.parameter,
            "default": k.default,
            "low": k.low,
            "high": k.high,
            "text": {language: k.text(language) for language in LANGUAGES},
        }
        for k in KINDS.values()
    ]


class Faults:
    """Makes and clears faults. Those that last are in ``active``: (kind, target) → value."""

    def __init__(self, floor: Floor, scan: Scan, lanes: Mapping[str, Lane]) -> None:
        self._floor, self._scan, self._lanes = floor, scan, lanes
        self._points = {p.path: i for i, p in enumerate(scan.points)}
        self._points |= {f"{p.unit}/{p.name}": i for i, p in enumerate(scan.points)}
        self._units = {u.id: i for i, u in enumerate(floor.plant.units)}
        self._tasks: set[asyncio.Task[None]] = set()
        self.active: dict[tuple[str, str], float] = {}

    def make(self, kind: str, target: str, value: float | None = None) -> None:
        """Make a fault now. Raises FaultError for an unknown kind, target, or number out of limits."""
        known = KINDS.get(kind)
        if known is None:
            raise FaultError("control.unknown", what=kind)
        if kind == "clear":
            self.clear(target)
            return
        if not self._exists(known.target, target):
            raise FaultError("control.target", what=known.target, target=target)
        number = known.default if value is None else value
        if known.parameter and not known.low <= number <= known.high:
            raise FaultError("control.number", parameter=known.parameter, low=known.low, high=known.high)
        if kind not in PASSING:
            self.active[kind, target] = number
        _MAKE[kind](self, target, number)
        self._floor.shop.note("fault", fault=kind, target=target, value=number)

    def clear(self, target: str = "") -> None:
        """End the lasting faults of one target, or all. Raises FaultError where the target has none."""
        found = [pair for pair in self.active if not target or pair[1] == target]
        if target and not found:
            raise FaultError("control.target", what="fault", target=target)
        for kind, name in found:
            del self.active[kind, name]
            _CLEAR[kind](self, name)
            self._floor.shop.note("fault", fault="clear", target=name, value=0.0)

    def replay(self, kind: str, target: str, value: float) -> None:
        """Make or clear a fault of an earlier life of this plant; what no longer exists is passed over."""
        try:
            self.make(kind, target, value)
        except FaultError as error:
            log.info("%s", error)

    def _exists(self, what: str, target: str) -> bool:
        floor = self._floor
        where: dict[str, Any] = {
            MACHINE: floor.machines,
            VEHICLE: floor.vehicles,
            UNIT: self._units,
            POINT: self._points,
            CONNECTION: self._lanes,
        }
        return target in where[what]

    # --- one of each

    def _breakdown(self, target: str, _value: float) -> None:
        self._floor.machines[target].break_down()

    def _slow(self, target: str, value: float) -> None:
        machine = self._floor.machines.get(target)
        if machine is not None:
            machine.set_slow(value)
        else:
            self._floor.vehicles[target].slow = value

    def _scrap(self, target: str, value: float | None) -> None:
        self._floor.machines[target].scrap_share = value

    def _local(self, target: str, value: float) -> None:
        unit = self._floor.machines.get(target) or self._floor.vehicles[target]
        unit.local = value >= 0

    def _lost(self, target: str, value: float) -> None:
        self._floor.vehicles[target].set_lost(value >= 0)
        self._scan.silent[self._units[target]] = value >= 0

    def _stall(self, target: str, _value: float) -> None:
        self._floor.vehicles[target].trouble.break_down()

    def _drift(self, target: str, value: float) -> None:
        self._scan.drift(self._points[target], value)

    def _frozen(self, target: str, value: float) -> None:
        self._scan.frozen[self._points[target]] = value >= 0

    def _drop(self, target: str, value: float) -> None:
        self._later(self._lanes[target].peer.drop(value), target)

    def _restart(self, target: str, _value: float) -> None:
        self._later(self._lanes[target].peer.restart(), target)

    def _later(self, work: Coroutine[Any, Any, None], target: str) -> None:
        """A peer comes back in its own time; nobody waits for it."""

        async def done() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001  a peer that does not come back is told, the plant goes on
                log.warning("%s: %r", target, error)

        task = asyncio.get_running_loop().create_task(done())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_OFF = -1.0
_MAKE: Mapping[str, Callable[[Faults, str, float], None]] = {
    "breakdown": Faults._breakdown,
    "slow": Faults._slow,
    "scrap": Faults._scrap,
    "local": Faults._local,
    "lost": Faults._lost,
    "stall": Faults._stall,
    "drift": Faults._drift,
    "frozen": Faults._frozen,
    "drop": Faults._drop,
    "restart": Faults._restart,
}
_CLEAR: Mapping[str, Callable[[Faults, str], None]] = {
    "slow": lambda faults, target: faults._slow(target, 1.0),
    "scrap": lambda faults, target: faults._scrap(target, None),
    "local": lambda faults, target: faults._local(target, _OFF),
    "lost": lambda faults, target: faults._lost(target, _OFF),
    "drift": lambda faults, target: faults._drift(target, 0.0),
    "frozen": lambda faults, target: faults._frozen(target, _OFF),
}
