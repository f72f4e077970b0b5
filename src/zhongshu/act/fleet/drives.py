"""A transport order on its way: what of the vehicle's plan stands in the order, and how far it has been released."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from zhongshu.act.fleet.network import Network
from zhongshu.act.fleet.plans import Step
from zhongshu.act.fleet.search import Stop
from zhongshu.act.fleet.traffic import Traffic
from zhongshu.model.autonomy import BRAIN
from zhongshu.model.orders import TransportOrder

PICK, DROP, GO = "pick", "drop", "go"


@dataclass(slots=True)
class Drive:
    """An order as it was last sent, or is about to be; ``first`` is the number of the step at whose end it begins.

    ``came``: the node from which the vehicle had come there, empty where that was not known. ``at``: index on the route of
    the last node that is measured. ``begun``: the vehicle has said that it has the order. ``is_lost``:
    nobody has followed it so far, so that it may be further. ``by`` asked for the order.
    """

    order: TransportOrder
    first: int
    came: str = ""
    at: int = 0
    begun: bool = False
    by: str = BRAIN
    is_lost: bool = False

    def extended(self, traffic: Traffic) -> TransportOrder:
        """The order with all that is granted now and the way intended beyond; an update where it was sent before."""
        car, old = traffic.car(self.order.vehicle), self.order
        last = self.first + old.base - 1
        ahead = [s for s in car.steps if s.number >= last and not s.tail]
        route = [*old.route[: old.base], *(traffic.network.names[s.end] for s in ahead if s.number > last)]
        at = {stop.name: step.number - self.first for step in ahead for stop in step.stops}
        for stop in car.todo:
            if stop.name not in at:  # not planned yet, as it is in somebody's way: it is wished for
                route += traffic.network.route(traffic.network.node[route[-1]], stop.node)[1:]
                at[stop.name] = len(route) - 1
        return replace(
            old,
            route=tuple(route),
            released=car.granted - self.first + 1,
            update=old.update + 1,
            stitch=old.base - 1,
            pick_at=at.get(PICK, old.pick_at),
            drop_at=at.get(DROP, old.drop_at),
        )

    def follow(self, traffic: Traffic, node: str, load: int, now: float) -> bool:
        """The vehicle was last seen at that node with that lot on board; False where the node is not on its leave."""
        end = self.order.base
        found = next((i for i in range(self.at, end) if self.order.route[i] == node), None)
        if found is None:
            return False
        if self.is_lost:
            found, self.is_lost = located(self, node), False
        if found > self.at:
            self.at = found
            traffic.reached(self.order.vehicle, self.first + found, now)
        here = traffic.car(self.order.vehicle).here
        if load == self.order.lot and any(stop.name == PICK for stop in here.stops):
            traffic.made(self.order.vehicle, now)
        return True


def begin(traffic: Traffic, order: TransportOrder, handling_s: float, now: float) -> Drive | None:
    """Plan the order's way over its stops, and give leave for the first of it; None where there is no way yet."""
    if not traffic.send(order.vehicle, stops_of(traffic.network, order, handling_s), now):
        return None
    car = traffic.car(order.vehicle)
    first = car.base
    traffic.grant(order.vehicle)
    steps = [s for s in car.steps if s.number > first.number and not s.tail]
    names = traffic.network.names
    route = (names[first.end], *(names[s.end] for s in steps))
    planned = replace(order, route=route, released=car.granted - first.number + 1, pick_at=0, drop_at=0)
    return Drive(_with_stops(planned, [first, *steps], first.number), first.number, _came(traffic, first))


def give_way(traffic: Traffic, order: TransportOrder) -> Drive | None:
    """An order without lot for the way that an idle vehicle has planned, so that another one can pass; None without one."""
    car = traffic.car(order.vehicle)
    if car.has_order or not car.ahead:
        return None
    for step in car.ahead:
        step.tail = False
    goal = Stop(car.steps[-1].end, 0.0, GO)
    car.steps[-1].stops, car.todo, car.has_order = (goal,), (goal,), True
    first, names = car.base, traffic.network.names
    traffic.grant(order.vehicle)
    route = (names[first.end], *(names[s.end] for s in car.steps if s.number > first.number))
    planned = replace(order, route=route, released=car.granted - first.number + 1, pick_at=0, drop_at=0)
    return Drive(planned, first.number, _came(traffic, first))


def located(drive: Drive, node: str) -> int:
    """Where on its leave a vehicle is whose place was not followed: no leave holds a node twice, so it is the last one.
    Raises ValueError where the node is not on it."""
    released = drive.order.route[: drive.order.base]
    return len(released) - 1 - released[::-1].index(node)


def place(traffic: Traffic, drive: Drive, now: float) -> None:
    """After a restart: the vehicle has come so far along its order; the way behind it tells on which lane it stands."""
    network, route = traffic.network, drive.order.route
    node, came = network.node[route[drive.at]], route[drive.at - 1] if drive.at else drive.came
    lane = network.lane.get((network.node[came], node)) if came else None
    heading = None if lane is None else network.lanes[lane].heading
    traffic.stand(drive.order.vehicle, node, heading, now)


def resume(traffic: Traffic, drive: Drive, handling_s: float, now: float) -> None:
    """After a restart: the vehicle was placed at ``drive.at``; hold the rest of its leave, and take up what is left to do."""
    order, network = drive.order, traffic.network
    nodes = [network.node[name] for name in order.route[drive.at : order.base]]
    car = traffic.car(order.vehicle)
    drive.first = car.here.number - drive.at
    traffic.hold(order.vehicle, [network.lane[a, b] for a, b in itertools.pairwise(nodes)], now)
    wanted = stops_of(network, order, handling_s)
    places = (order.pick_at, order.drop_at) if len(wanted) == 2 else (len(order.route) - 1,)
    car.todo = tuple(s for s, at in zip(wanted, places, strict=True) if at >= order.base)
    car.has_order = True


def stops_of(network: Network, order: TransportOrder, handling_s: float) -> list[Stop]:
    """Where an order wants to be, from its wish of a route; what is on board already is not picked."""
    end = Stop(network.node[order.route[-1]], 0.0, GO)
    if not order.lot:
        return [end]
    drop = Stop(network.node[order.route[order.drop_at]], handling_s, DROP)
    if not order.pick_unit:
        return [drop]
    return [Stop(network.node[order.route[order.pick_at]], handling_s, PICK), drop]


def _came(traffic: Traffic, step: Step) -> str:
    """The node at the begin of the lane a vehicle stands on."""
    network = traffic.network
    return network.names[network.lanes[step.lanes[0]].start] if len(step.lanes) == 1 else ""


def _with_stops(order: TransportOrder, steps: Sequence[Step], first: int) -> TransportOrder:
    """Say at which nodes of the route the stops are made; what was passed already stays where it was."""
    at = {stop.name: step.number - first for step in steps for stop in step.stops}
    pick_at = at.get(PICK, order.pick_at)
    drop_at = at.get(DROP, order.drop_at)
    return replace(order, pick_at=pick_at, drop_at=drop_at)
