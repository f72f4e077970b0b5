"""A yard to try traffic control in: the twin's own vehicles as referee, tasks and mishaps drawn from a seed, virtual time."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from zhongshu.act.fleet import drives
from zhongshu.act.fleet.drives import Drive
from zhongshu.act.fleet.network import Network
from zhongshu.act.fleet.traffic import Limits, Traffic
from zhongshu.kernel.clock import NS
from zhongshu.kernel.plantfile import load_plant
from zhongshu.model.commands import Call, Result, Verb
from zhongshu.model.orders import TransportOrder
from zhongshu.model.plant import Plant
from zhongshu.model.states import TransportState
from zhongshu.twin.floor import Floor
from zhongshu.twin.lots import Where
from zhongshu.twin.settings import TwinTruth
from zhongshu.twin.vehicle import Vehicle

START_NS = 1_767_225_600 * NS
HANDLING_S = 20.0
KITCHEN = Path(__file__).parents[3] / "plants/kitchen/plant.yaml"


@cache
def kitchen(vehicles: int = 20) -> Plant:
    """The kitchen's roads and machines, with more or fewer vehicles."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "plant.yaml"
        text = KITCHEN.read_text(encoding="utf-8")
        if vehicles != 20:
            text = text.replace('name: "AGV {n:02}", count: 20', f'name: "AGV {{n:02}}", count: {vehicles}')
            text = text.replace('station: "d-{n+2:02}"', 'station: "d-{n+1:02}"')
        path.write_text(text, encoding="utf-8")
        return load_plant(path)


_ROUND = """
plant: roundabout
timezone: UTC
operations: {{stamp: {{number: 10}}}}
types:
  press: {{include: [packml, job], capabilities: {{stamp: {{cycle_s: 10}}}}}}
  agv: {{vehicle: true, include: [vehicle]}}
connections:
  - {{id: machines, protocol: opcua, settings: {{endpoint: "opc.tcp://127.0.0.1:48401"}}}}
  - {{id: fleet, protocol: vda5050, settings: {{manufacturer: test}}}}
areas:
  - id: shop
    lines:
      - id: main
        units:
          - {{id: "press-{{n}}", type: press, count: 4, connection: machines, station: "n{{n}}"}}
          {agvs}
products:
  part: {{code: 1, lot_size: 1, sellable: true, routing: [stamp]}}
roads:
  speed_m_s: 1.5
  nodes: [{nodes}]
  edges: [{edges}]
"""


@cache
def roundabout(vehicles: int) -> Plant:
    """Four lanes round, one way, with a station in a dead end at each corner; the vehicles stand in the dead ends."""
    corners, ends = [(20, 20), (30, 20), (30, 30), (20, 30)], [(0, 20), (30, 0), (50, 30), (20, 50)]
    places = [(f"c{i}", at) for i, at in enumerate(corners, 1)] + [
        (f"n{i}", at) for i, at in enumerate(ends, 1)
    ]
    nodes = ", ".join(f"{{id: {name}, x_m: {x}, y_m: {y}}}" for name, (x, y) in places)
    lanes = [f"{{start: c{i}, end: c{i % 4 + 1}, one_way: true}}" for i in range(1, 5)]
    lanes += [f"[c{i}, n{i}]" for i in range(1, 5)]
    agvs = "\n          ".join(
        f"- {{id: agv-{i}, type: agv, connection: fleet, station: n{i}}}" for i in range(1, vehicles + 1)
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "plant.yaml"
        path.write_text(_ROUND.format(agvs=agvs, nodes=nodes, edges=", ".join(lanes)), encoding="utf-8")
        return load_plant(path)


@dataclass(frozen=True, slots=True)
class Weather:
    """What goes wrong: shares of vehicles and chances a plant second."""

    slow_share: float = 0.2
    pause: float = 0.0
    pause_s: tuple[float, float] = (5.0, 60.0)
    lost: float = 0.0
    lost_s: tuple[float, float] = (200.0, 900.0)
    restart: float = 0.0
    cancel: float = 0.0


@dataclass(slots=True)
class Done:
    """One task: how long it took without handling, and how long the empty roads would have taken."""

    travel_s: float
    least_s: float


@dataclass(slots=True)
class _Task:
    lot: int
    pick: str
    drop: str
    since: float = 0.0
    least_s: float = 0.0
    handled_s: float = 0.0


@dataclass
class Yard:
    """``run`` lets every vehicle do so many tasks one after the other; raises AssertionError when that never ends."""

    plant: Plant
    seed: int
    tasks: int = 3
    weather: Weather = Weather()
    limits: Limits = field(default_factory=Limits)
    lag_s: float = 1.0
    with_control: bool = True
    improve: bool = True
    improved: int = 0
    stations: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        truth = TwinTruth.model_validate(
            {"vehicles": {"speed_m_s": 1.6, "handling_s": HANDLING_S, "handling_spread": 0.3}}
        )
        self.random = random.Random(self.seed)
        self.events: list[tuple[float, str, dict[str, object]]] = []
        self.floor = Floor(self.plant, truth, self.seed, START_NS, self._book)
        self.cars: dict[str, Vehicle] = self.floor.vehicles
        self.traffic = Traffic(Network(self.plant.roads), self.limits)
        self.done: list[Done] = []
        self._drives: dict[str, Drive] = {}
        self._tasks: dict[str, _Task | None] = dict.fromkeys(self.cars)
        self._left = dict.fromkeys(self.cars, self.tasks)
        self._back: list[tuple[float, str]] = []
        self._seen: dict[str, float] = {}
        self._key = 0
        self._units = [
            u for u in self.plant.machines if u.station and (not self.stations or u.station in self.stations)
        ]
        for car in self.cars.values():
            car.energy_percent = 100.0
            if self.random.random() < self.weather.slow_share:
                car.slow = self.random.uniform(1.1, 1.8)

    @property
    def now(self) -> float:
        """Plant seconds since the start."""
        return (self.floor.now_ns - START_NS) / NS

    @property
    def collisions(self) -> int:
        """As the twin counts them."""
        return self.floor.roads.collisions

    @property
    def ratio(self) -> float:
        """Mean travel over mean unobstructed travel."""
        return sum(d.travel_s for d in self.done) / sum(d.least_s for d in self.done)

    def run(self, limit_s: float = 20_000.0) -> None:
        """Until all tasks are done."""
        self._place_all()
        looked = 0.0
        while any(self._left.values()) or any(self._tasks.values()):
            assert self.now < limit_s, self.picture()
            self.floor.advance(self.floor.now_ns + NS)
            self._mishaps()
            for name, car in self.cars.items():
                if self.now - self._seen.get(name, -1e9) >= self.lag_s and not car.lost:
                    self._seen[name] = self.now
                    self._measure(name, car)
            if self.with_control and self.now - looked >= 5.0:
                looked = self.now
                self.traffic.look(self.now)
                self.improved += self.traffic.improve(self.now) if self.improve else 0
            for name in self.random.sample(list(self.cars), len(self.cars)):
                self._drive(name, self.cars[name])

    # --- what traffic control is told

    def _place_all(self) -> None:
        for name, car in self.cars.items():
            self.traffic.stand(name, self.traffic.network.node[car.node], car.heading, self.now)

    def _measure(self, name: str, car: Vehicle) -> None:
        drive = self._drives.get(name)
        if drive is None:
            return
        assert car.order is not None and car.order.key == drive.order.key
        if not self.with_control:
            if not car.running:
                del self._drives[name]
                self._ended(name, car)
            return
        known = drive.follow(self.traffic, car.node, car.load, self.now)
        assert known, f"{name} is at {car.node}"
        onward = drive.first + drive.at + 1
        step = next((s for s in self.traffic.car(name).steps if s.number == onward), None)
        if (
            step is not None
            and step.granted
            and self.traffic.network.past_crossing(step.lanes[0], *car.place())
        ):
            self.traffic.cleared(name, onward, self.now)
        if car.order_state is not TransportState.RUNNING:
            del self._drives[name]
            if car.order_state is TransportState.FAILED:
                self.traffic.stand(name, self.traffic.network.node[car.node], car.heading, self.now)
            self.traffic.done(name, self.now)
            self._ended(name, car)

    # --- orders

    def _drive(self, name: str, car: Vehicle) -> None:
        if car.lost:
            return
        drive = self._drives.get(name)
        if drive is not None:
            if self.with_control and self.traffic.grant(name):
                drive.order = drive.extended(self.traffic)
                self.traffic.granted(name, self.now)
                self._ask(name, Verb.EXTEND_TRANSPORT, drive.order)
            return
        task = self._tasks[name]
        if task is None and self._left[name] and self.random.random() < 0.2:
            task = self._tasks[name] = self._new_task(name, car)
            self._left[name] -= 1
        if task is not None and self._send(name, car, task):
            return
        if self.with_control and self.traffic.must_go(name, self.now):
            drive = drives.give_way(self.traffic, self._order(name, 0, "", "", ()))
            if drive is not None:
                self._start(name, drive)

    def _send(self, name: str, car: Vehicle, task: _Task) -> bool:
        units, network = self.plant.unit_of, self.traffic.network
        at, end = units[task.pick].station, units[task.drop].station
        if car.load:
            order = replace(self._order(name, task.lot, "", task.drop, (car.node, end)), drop_at=1)
        else:
            order = replace(
                self._order(name, task.lot, task.pick, task.drop, (car.node, at, end)), pick_at=1, drop_at=2
            )
        if not task.least_s:
            way = (car.node, end) if car.load else (car.node, at, end)
            nodes = [network.node[n] for n in way]
            task.least_s = sum(network.seconds_to(b)[a] for a, b in itertools.pairwise(nodes)) * car.slow
            task.since = self.now
        if not self.with_control:
            self._start(name, self._straight(order))
            return True
        drive = drives.begin(self.traffic, order, HANDLING_S, self.now)
        if drive is not None:
            self._start(name, drive)
        return drive is not None

    def _straight(self, order: TransportOrder) -> Drive:
        """The shortest way, wholly released, whoever is there."""
        network, route, at = self.traffic.network, [order.route[0]], []
        for target in order.route[1:]:
            left = network.seconds_to(network.node[target])
            while route[-1] != target:
                lanes = [network.lanes[i] for i in network.out[network.node[route[-1]]]]
                route.append(network.names[min(lanes, key=lambda way: way.seconds + left[way.end]).end])
            at.append(len(route) - 1)
        return Drive(replace(order, route=tuple(route), pick_at=at[0], drop_at=at[-1]), 0)

    def _start(self, name: str, drive: Drive) -> None:
        self._drives[name] = drive
        if self.with_control:
            self.traffic.granted(name, self.now)
        self._ask(name, Verb.TRANSPORT, drive.order)

    def _ask(self, name: str, verb: Verb, order: TransportOrder) -> None:
        answer = self.floor.called(Call(name, verb, order.key, order.to_args()))
        assert answer.result is Result.OK, f"{name} {verb.name}: {answer.reason}\n{self.picture()}"

    def _order(self, name: str, lot: int, pick: str, drop: str, route: tuple[str, ...]) -> TransportOrder:
        self._key += 1
        return TransportOrder(self._key, name, lot, route, 0, 0, pick, drop)

    def _new_task(self, name: str, car: Vehicle) -> _Task:
        pick, drop = self.random.sample(self._units, 2)
        self._key += 1
        stock = self.floor.shop.stock
        product = next(p for p in self.plant.products if p.routing)
        stock.move(stock.create(self._key, product.code, 1, pick.id), Where.OUTPUT, pick.id)
        return _Task(self._key, pick.id, drop.id)

    def _ended(self, name: str, car: Vehicle) -> None:
        task = self._tasks[name]
        if (
            task is not None and task.lot not in self.floor.shop.stock.lots
        ):  # dropped, though cancelled in that moment perhaps
            self.done.append(Done(self.now - task.since - task.handled_s, task.least_s))
            self._tasks[name] = None

    # --- what happens

    def _book(self, kind: str, t_ns: int, fields: object) -> None:
        assert isinstance(fields, dict)
        self.events.append(((t_ns - START_NS) / NS, kind, fields))
        if kind == "dropped":
            stock = self.floor.shop.stock
            stock.remove(stock.lots[fields["lot"]], stored=False)
        if kind in ("picked", "dropped"):
            task = self._tasks[fields["unit"]]
            if task is not None:
                _begin, length = self.cars[fields["unit"]].phase_ns
                task.handled_s += length / NS

    def _mishaps(self) -> None:
        for t, name in list(self._back):
            if self.now >= t:
                self._back.remove((t, name))
                self.cars[name].set_lost(False)
        w, draw = self.weather, self.random
        for name, car in self.cars.items():
            if car.lost or not (w.pause or w.lost or w.cancel):
                continue
            chance = draw.random()
            if chance < w.pause:
                self._halt(name, car, draw.uniform(*w.pause_s))
            elif chance < w.pause + w.lost:
                self._halt(name, car, draw.uniform(*w.lost_s))
            elif chance < w.pause + w.lost + w.cancel and car.running:
                self._key += 1
                self.floor.called(Call(name, Verb.CANCEL_TRANSPORT, self._key))
        if w.restart and draw.random() < w.restart:
            self._restart()

    def _halt(self, name: str, car: Vehicle, seconds: float) -> None:
        car.set_lost(True)
        self._back.append((self.now + seconds, name))

    def _restart(self) -> None:
        """Another brain takes over with nothing but what is measured and the orders as they were sent."""
        self.traffic = Traffic(Network(self.plant.roads), self.limits)
        for name, car in self.cars.items():
            drive = self._drives.get(name)
            if drive is None:
                self.traffic.stand(name, self.traffic.network.node[car.node], car.heading, self.now)
                continue
            drive.at, drive.is_lost = 0, True
            drives.place(self.traffic, drive, self.now)
        for drive in self._drives.values():
            drives.resume(self.traffic, drive, HANDLING_S, self.now)
        self.traffic.look(self.now)

    def picture(self) -> str:
        """Who is where, for whoever reads a failure."""
        lines = [
            f"seed {self.seed}, {self.now:.0f} s, {len(self.done)} done, left {sum(self._left.values())}"
        ]
        for name, car in self.cars.items():
            mine = self.traffic.car(name)
            drive = self._drives.get(name)
            lines.append(
                f"{name}: {car.came}>{car.node} {car.phase} {'lost ' if car.lost else ''}{car.order_state.name} "
                f"load {car.load} granted {[self.traffic.network.names[s.end] for s in mine.steps if s.granted]} "
                f"ahead {[self.traffic.network.names[s.end] + ('~' if s.tail else '') for s in mine.ahead]} todo {len(mine.todo)} "
                f"stuck {mine.is_stuck} drive {drive and (drive.at, drive.order.base, len(drive.order.route))} task {self._tasks[name]}"
            )
        return "\n".join(lines)

    def collided(self) -> Iterator[dict[str, object]]:
        """The twin's notes of collisions."""
        return (fields for _, kind, fields in self.events if kind == "collision")
