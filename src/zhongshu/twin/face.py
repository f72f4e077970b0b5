"""What a unit's own points show: states, job, counters and position, read from the machine or vehicle behind them."""

from __future__ import annotations

from collections.abc import Callable, Container

from zhongshu.kernel.clock import NS
from zhongshu.model import roles as r
from zhongshu.model.batch import Floats
from zhongshu.model.plant import Point
from zhongshu.model.states import JobState, UnitState
from zhongshu.twin.chance import number_of
from zhongshu.twin.lots import Where
from zhongshu.twin.machine import DOWN as DOWN_STATES
from zhongshu.twin.machine import Machine
from zhongshu.twin.profile import DOWN, IDLE, SETUP, WORK
from zhongshu.twin.vehicle import Vehicle

#: Roles whose value the scan itself makes.
BY_SCAN = frozenset({r.SAMPLE_COUNT, r.SCAN_TIME, r.HEARTBEAT})
#: Shown together, at the pace of the fastest of them, so that a key never stands beside another job's state.
JOB_IMAGE = frozenset({r.JOB_KEY, r.JOB_STATE, r.JOB_GOOD, r.JOB_SCRAP, r.COMMAND_KEY, r.COMMAND_RESULT})
FAULT_BROKEN = 101
#: Parts of names of flags that mean trouble, and of those that are true unless the machine is down.
_ALARMS = ("break", "double", "alarm", "fault", "overload")
_GUARDS = ("curtain", "closed", "_ok", "ready")

MachineValue = Callable[[Machine], float]
VehicleValue = Callable[[Vehicle], float]


def _asked(place: int) -> MachineValue:
    return lambda m: m.request[place]


_MACHINE: dict[str, MachineValue] = {
    r.UNIT_STATE: lambda m: m.state,
    r.UNIT_MODE: lambda m: m.mode,
    r.JOB_KEY: lambda m: m.job.key if m.job is not None else 0,
    r.JOB_STATE: lambda m: m.job.state if m.job is not None else 0,
    r.JOB_GOOD: lambda m: m.job.good if m.job is not None else 0,
    r.JOB_SCRAP: lambda m: m.job.scrap if m.job is not None else 0,
    r.JOB_PROGRESS: lambda m: round(m.progress(), 1),
    r.COMMAND_KEY: lambda m: m.keys.last[0],
    r.COMMAND_RESULT: lambda m: m.keys.last[1],
    r.REQUEST_VERB: _asked(0),
    r.REQUEST_LOT: _asked(1),
    r.REQUEST_PRODUCT: _asked(2),
    r.REQUEST_OPERATION: _asked(3),
    r.REQUEST_QUANTITY: _asked(4),
    r.REQUEST_KEY: _asked(5),
    r.ENERGY: lambda m: round(m.energy_kwh, 3),
    r.TOTAL_GOOD: lambda m: m.total_good,
    r.TOTAL_SCRAP: lambda m: m.total_scrap,
    r.BUFFER_IN: lambda m: len(m.shop.stock.buffer(m.unit.id, Where.INPUT)),
    r.BUFFER_OUT: lambda m: len(m.shop.stock.buffer(m.unit.id, Where.OUTPUT)),
    r.WEAR: lambda m: round(100 * m.wear, 2),
}
#: Points without a role that every machine means alike, by name.
_MACHINE_NAMES: dict[str, MachineValue] = {
    "job_lot": lambda m: m.job.lot if m.job is not None else 0,
    "fault_code": lambda m: FAULT_BROKEN if m.broken else 0,
    "guard_closed": lambda m: not (m.maintaining or m.state is UnitState.ABORTED),
    "running_h": lambda m: round(m.running_ns / (3600 * NS), 2),
}
_VEHICLE: dict[str, VehicleValue] = {
    r.UNIT_STATE: lambda v: v.state,
    r.UNIT_MODE: lambda v: v.mode,
    r.POSITION_X: lambda v: round(v.place()[0], 3),
    r.POSITION_Y: lambda v: round(v.place()[1], 3),
    r.HEADING: lambda v: round(v.heading, 3),
    r.VELOCITY: lambda v: round(v.velocity(), 2),
    r.BATTERY: lambda v: round(v.energy_percent, 2),
    r.CHARGING: lambda v: v.charging,
    r.DRIVING: lambda v: v.driving,
    r.LAST_NODE: lambda v: v.roads.nodes[v.node].number if v.node in v.roads.nodes else 0,
    r.ORDER_KEY: lambda v: v.order.key if v.order is not None else 0,
    r.ORDER_STATE: lambda v: v.order_state,
    r.LOAD: lambda v: v.load,
    r.ERRORS: lambda v: v.errors,
    r.E_STOP: lambda v: v.lost,
}


class MachineFace:
    """Fills in a machine's own points. ``own`` holds (index in the plant's points, point) of those it can tell."""

    def __init__(self, machine: Machine, points: list[tuple[int, Point]], defaults: dict[str, float]) -> None:
        self.machine = machine
        self._defaults = defaults
        self._values: list[tuple[int, MachineValue]] = []
        self._settable: list[tuple[int, str]] = []
        self._job_at = -1
        self._shown_job = (0, 0)
        for index, point in points:
            value = _MACHINE.get(point.role) or (_MACHINE_NAMES.get(point.name) if not point.role else None)
            if point.role == r.JOB_STATE:
                self._job_at = index
            if value is not None:
                self._values.append((index, value))
            elif is_settable(point):
                self._settable.append((index, point.name))
            elif point.kind != "float":
                self._values.append((index, counted(point)))

    def fill(self, out: Floats, *, job: bool = True) -> tuple[int, float]:
        """Write the present values; returns the class of what the machine does and its wear (0…1) for the signals.

        ``job``: the job's state is really shown now, not only written.
        """
        machine = self.machine
        machine.settle()
        for index, value in self._values:
            out[index] = value(machine)
        for index, name in self._settable:
            out[index] = machine.setpoints.get(name, self._defaults.get(name, 0.0))
        doing = _doing(machine.state)
        if job and self._job_at >= 0:
            out[self._job_at] = self._job_state(out[self._job_at])
        return doing, min(machine.wear, 1.5)

    def only(self, points: Container[int]) -> None:
        """From now on the others are not told."""
        self._values = [(index, value) for index, value in self._values if index in points]

    def _job_state(self, state: float) -> float:
        """A new job never begins in the state in which the last one was seen: else nobody could tell the two apart."""
        key = self.machine.job.key if self.machine.job is not None else 0
        shown_key, shown = self._shown_job
        if key != shown_key and int(state) == shown:
            state = float(JobState.SETUP if int(state) == JobState.WAITING else JobState.WAITING)
        self._shown_job = (key, int(state))
        return state


class VehicleFace:
    """Fills in a vehicle's points."""

    def __init__(self, vehicle: Vehicle, points: list[tuple[int, Point]]) -> None:
        self.vehicle = vehicle
        self._values = [(index, _VEHICLE[p.role]) for index, p in points if p.role in _VEHICLE]

    def only(self, points: Container[int]) -> None:
        """From now on the others are not told."""
        self._values = [(index, value) for index, value in self._values if index in points]

    def fill(self, out: Floats, *, job: bool = True) -> tuple[int, float]:
        """Write the present values; see MachineFace."""
        vehicle = self.vehicle
        vehicle.meter()
        for index, value in self._values:
            out[index] = value(vehicle)
        return (DOWN if vehicle.trouble.halted else WORK if vehicle.driving else IDLE), 0.0


def counted(point: Point) -> MachineValue:
    """A believable value for a number or flag that only its name explains."""
    salt, top = number_of(point.path), point.high
    if point.kind == "bool":
        if any(part in point.name for part in _ALARMS):
            return lambda m: m.broken
        if any(part in point.name for part in _GUARDS):
            return lambda m: m.state not in DOWN_STATES
        return lambda m: _doing(m.state) == WORK
    if point.kind == "enum":
        idle, work = min(point.choices, default=0), max(point.choices, default=0)
        return lambda m: work if _doing(m.state) == WORK else idle
    if point.name.startswith("reject"):
        return lambda m: m.total_scrap
    if top is None:
        return lambda m: _pieces(m) * (1 + salt % 6)
    if point.name.endswith(("_left", "_free")):
        return lambda m: top - (_pieces(m) + salt % 50) % top
    return lambda m: (_pieces(m) // 10 + salt % 97) % (top + 1)


def _pieces(machine: Machine) -> int:
    return machine.total_good + machine.total_scrap


def is_settable(point: Point) -> bool:
    """A set-point: written by the brain, held by the machine; request registers are not."""
    return point.writable and not point.role.startswith("request_")


def is_signal(point: Point) -> bool:
    """A measurement that the signal model makes."""
    if point.kind != "float" or is_settable(point) or point.role in BY_SCAN:
        return False
    return point.role not in _MACHINE and point.role not in _VEHICLE and point.name not in _MACHINE_NAMES


def _doing(state: UnitState) -> int:
    if state is UnitState.EXECUTE or state is UnitState.COMPLETING:
        return WORK
    if state is UnitState.STARTING:
        return SETUP
    return DOWN if state in DOWN_STATES else IDLE
