"""What a machine that rests shows of it: power, and the temperatures of an oven; from its own state into the signals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from zhongshu.model import roles
from zhongshu.model.batch import Floats
from zhongshu.model.idling import Rest
from zhongshu.model.plant import Plant, Point, UnitType
from zhongshu.twin.machine import Machine
from zhongshu.twin.profile import WORK, Profile
from zhongshu.twin.rest import Oven

#: A temperature belongs to the oven's body of heat when it is this near to the working temperature, as a share of it.
SAME = 0.15
#: How far a sensor in the heat lags behind, plant seconds.
SENSOR_S = 20.0


class RestingSignals:
    """``signals``: the machine's measured points with their profiles, by row."""

    def __init__(self, machine: Machine, rest: Rest, signals: Mapping[int, tuple[Point, Profile]]) -> None:
        self._machine = machine
        self._power = [row for row, (point, _) in signals.items() if point.role == roles.POWER]
        self._heat = [
            (row, 0.0 if point.name == rest.measured else made.targets[WORK] - rest.work)
            for row, (point, made) in signals.items()
            if _of_the_heat(point, made, rest)
        ]

    def tell(self, forced: Floats, t_ns: int) -> None:
        """Write what the sensors see now."""
        machine = self._machine
        for row in self._power:
            forced[row] = machine.power_kw
        if isinstance(machine.rest, Oven):
            celsius = machine.rest.celsius(t_ns)
            for row, beside_k in self._heat:
                forced[row] = celsius + beside_k


def quick(point: Point, made: Profile, plant: Plant) -> Profile:
    """The heat itself is slow, so its sensors need not be; all other signals stay as they are."""
    rest = plant.type_of[plant.unit_of[point.unit].type].rest
    if rest is None or not _of_the_heat(point, made, rest):
        return made
    return replace(made, tau_s=SENSOR_S)


def at_work(kind: UnitType) -> dict[str, float]:
    """Where set-points for rest and service stand while nobody has asked for either."""
    made = {kind.rest.point: kind.rest.work} if kind.rest is not None else {}
    return made | ({kind.service.point: 0.0} if kind.service is not None else {})


def _of_the_heat(point: Point, made: Profile, rest: Rest) -> bool:
    if point.name == rest.measured:
        return True
    return rest.heats and point.uom == "°C" and abs(made.targets[WORK] - rest.work) <= SAME * rest.work
