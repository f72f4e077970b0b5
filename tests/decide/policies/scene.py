"""A plant of two ovens and two presses, and one moment in it, put together fact by fact."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from zhongshu.decide.follow import PlanInForce
from zhongshu.decide.policies import Facts, Load
from zhongshu.decide.work import Lot, LotStatus, Order, Work
from zhongshu.kernel.clock import NS
from zhongshu.kernel.plantfile import load_plant
from zhongshu.model.plant import Plant

NOW_NS = 1_767_225_600 * NS
MIN_NS = 60 * NS

TEXT = """
plant: heat
timezone: UTC
operations: {stamp: {number: 10}, bake: {number: 20}, pack: {number: 30}}
types:
  press:
    include: [packml, job, energy, counters, saving, service]
    points: {power: {high: 100}}
    capabilities: {stamp: {cycle_s: 60, power_kw: 65}}
    rest: {point: standby_set, work: 0, rest: 1, wake_min: 3}
    service: {point: service_set, takes_min: 20}
    buffer_in: 4
    buffer_out: 4
  oven:
    include: [packml, job, energy, counters]
    points:
      power: {high: 200}
      chamber_temperature: {uom: °C, low: 0, high: 300}
      chamber_temperature_set: {uom: °C, role: setpoint, writable: true, low: 60, high: 260}
    capabilities: {bake: {cycle_s: 60, power_kw: 130}}
    rest: {point: chamber_temperature_set, work: 200, rest: 60, wake_min: 20, measured: chamber_temperature, wake_kw: 130}
    buffer_in: 4
    buffer_out: 4
  packer:
    include: [packml, job, energy]
    points: {power: {high: 10}}
    capabilities: {pack: {cycle_s: 10}}
    buffer_in: 8
  agv: {vehicle: true, include: [vehicle]}
connections:
  - {id: machines, protocol: opcua, settings: {endpoint: "opc.tcp://127.0.0.1:48501"}}
  - {id: fleet, protocol: vda5050, settings: {manufacturer: test}}
areas:
  - id: hall
    lines:
      - id: line
        units:
          - {id: "press-{n}", type: press, count: 2, connection: machines, station: "lane-{n:02}"}
          - {id: "oven-{n}", type: oven, count: 2, connection: machines, station: "lane-{n+2:02}"}
          - {id: pack, type: packer, connection: machines, station: lane-05}
          - {id: "agv-{n}", type: agv, count: 2, connection: fleet, station: lane-06}
products:
  tin: {code: 1, family: a, lot_size: 4, sellable: true, routing: [stamp, bake, pack]}
roads:
  lanes: [{id: lane, start: [0, 20], end: [50, 20], stations: 6}]
  chargers: [lane-06]
"""


@cache
def plant(extra: str = "") -> Plant:
    """The plant; ``extra`` is more of its file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "plant.yaml"
        path.write_text(TEXT + extra, encoding="utf-8")
        return load_plant(path)


class Scene:
    """All machines idle in production mode, ovens hot, machines awake, nothing planned; change what matters."""

    def __init__(self, of: Plant | None = None) -> None:
        self.plant = of or plant()
        self.work = Work(self.plant)
        self.work.states = {u.id: ("IDLE", "PRODUCTION") for u in self.plant.units}
        self.values: dict[tuple[str, str], float] = {}
        for name in ("oven-1", "oven-2"):
            self.values[name, "chamber_temperature_set"] = 200.0
            self.values[name, "chamber_temperature"] = 200.0
        for name in ("press-1", "press-2"):
            self.values[name, "standby_set"] = 0.0
            self.values[name, "service_set"] = 0.0
            self.values[name, "wear"] = 10.0
        self.tasks: list[tuple[str, str, float, float]] = []
        self.idle_min: dict[str, float] = {}
        self.waiting_min: dict[str, float] = {}
        self.age_min: dict[tuple[str, str], float] = {}
        self.load = Load()

    def order(self, name: str, quantity: int = 4, *, due_min: float = 600, priority: int = 5) -> Order:
        """An order that is on the floor."""
        due_ns = NOW_NS + round(due_min * MIN_NS)
        order = Order(name, "tin", quantity, due_ns, 0, priority, NOW_NS, status="released")
        self.work.orders[name] = order
        return order

    def lot(self, number: int, order: str = "W-1", **said: Any) -> Lot:
        """A lot of the order, which is made if there is none."""
        if order not in self.work.orders:
            self.order(order)
        lot = Lot(number, order, "tin", 4, good=4)
        for name, value in said.items():
            setattr(lot, name, value)
        self.work.lots[number] = lot
        return lot

    def waits(self, number: int, unit: str, step: int, order: str = "W-1") -> Lot:
        """A lot that lies in front of a unit, ready to be begun."""
        return self.lot(number, order, place=unit, target=unit, next_step=step, status=LotStatus.WAITING)

    def planned(self, task: str, unit: str, in_min: float, for_min: float = 10) -> None:
        """The plan has ``lot:step`` on the unit."""
        self.tasks.append((task, unit, in_min, for_min))

    def facts(self) -> Facts:
        """The moment."""
        return Facts(
            NOW_NS,
            self.work,
            self._plan(),
            self.values,
            self.load,
            {u: NOW_NS - round(m * MIN_NS) for u, m in self.idle_min.items()},
            {u: NOW_NS - round(m * MIN_NS) for u, m in self.waiting_min.items()},
            lambda unit, point: NOW_NS - round(self.age_min.get((unit, point), 1) * MIN_NS),
        )

    def _plan(self) -> PlanInForce | None:
        if not self.tasks:
            return None
        units = [u.id for u in self.plant.machines]
        starts = [round(60 * t[2]) for t in self.tasks]
        return PlanInForce(
            {
                "version": 1,
                "origin_ns": NOW_NS,
                "units": [{"id": u} for u in units],
                "orders": [{"id": "W-1"}],
                "tasks": {
                    "id": [t[0] for t in self.tasks],
                    "unit": [units.index(t[1]) for t in self.tasks],
                    "start": starts,
                    "end": [s + round(60 * t[3]) for s, t in zip(starts, self.tasks, strict=True)],
                    "order": [0 for _ in self.tasks],
                },
            }
        )
