"""Master control of the vehicles: gives transport orders their way, follows the vehicles, and extends what they may drive."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import Mapping
from dataclasses import replace

from zhongshu.act.arbiter import Arbiter
from zhongshu.act.autonomy import permit
from zhongshu.act.fleet import drives
from zhongshu.act.fleet.drives import Drive
from zhongshu.act.fleet.network import Network
from zhongshu.act.fleet.records import Records, Rest
from zhongshu.act.fleet.sight import Seen, Sight
from zhongshu.act.fleet.traffic import PATIENCE_S, Limits, Traffic
from zhongshu.act.judgement import Judgement, Ruling
from zhongshu.act.people import People
from zhongshu.kernel.clock import NS, Clock
from zhongshu.kernel.latest import Latest
from zhongshu.kernel.outbox import Outbox
from zhongshu.kernel.ports import Writer
from zhongshu.kernel.store import Store
from zhongshu.model.autonomy import BRAIN, Autonomy, Said
from zhongshu.model.commands import Call, Outcome, Verb
from zhongshu.model.decisions import by_rule
from zhongshu.model.messages import Proposed, TransportProgressed
from zhongshu.model.orders import TransportOrder
from zhongshu.model.plant import Plant
from zhongshu.model.states import TransportState

log = logging.getLogger(__name__)
#: The vehicles are looked at so often, and their plans so often (wall seconds).
LOOK_WALL_S, PLAN_WALL_S = 0.1, 1.0
#: So long (wall) a measurement takes from the vehicle to here, and leave from here to the vehicle.
LAG_WALL_S = 1.3
#: A vehicle that was silent, or in another mode, for so long (wall) is not counted on.
AWAY_WALL_S = 5.0
#: A vehicle is asked so often (wall) to give way, or to take an extension that it refused.
ASK_WALL_S = 5.0
#: Validity of such a request, wall seconds.
VALID_WALL_S = 20.0
#: What picking or dropping takes, until it is measured that it is done (plant seconds).
HANDLING_S = 20.0
#: Why an idle vehicle drives.
GIVES_WAY = "gives_way"


class Fleet:
    """Owns the ways of all vehicles of a plant. A vehicle is on the roads once its place is known."""

    def __init__(
        self,
        plant: Plant,
        store: Store,
        clock: Clock,
        latest: Latest,
        writers: Mapping[str, Writer],
        arbiter: Arbiter,
        people: People,
        outbox: Outbox,
    ) -> None:
        self._plant, self._clock, self._writers = plant, clock, writers
        self._arbiter, self._people, self._outbox = arbiter, people, outbox
        self._sight, self._records = Sight(plant, latest), Records(plant.id, store)
        self._vehicles = [u.id for u in plant.vehicles] if plant.roads.nodes else []
        self._speed = (clock.to_plant_ns(NS) - clock.to_plant_ns(0)) / NS
        network = Network(plant.roads)
        lag_s = LAG_WALL_S * self._speed
        self.traffic = Traffic(network, limits_for(network, lag_s), PATIENCE_S + 3 * lag_s)
        self._drives: dict[str, Drive] = {}
        self._unsent: dict[str, int] = {}  # vehicle → update that it has not confirmed
        self._asking: set[str] = set()
        self._heard: dict[str, int] = {}  # vehicle → wall time when it was last seen ready for commands
        self._asked: dict[str, int] = {}  # vehicle → wall time when it was last asked for something
        self._lets: dict[str, tuple[Autonomy, Drive | None, bool]] = {}  # vehicle → what the ladder said last
        self._entered: dict[str, tuple[object, ...]] = {}  # vehicle under way → what was entered last
        self.updates = 0

    # --- what act asks

    def route(self, call: Call, by: str) -> Call | Judgement:
        """The order, asked for by ``by``, with its way and what is released of it; or why it must wait, or never goes."""
        if call.unit not in self._vehicles:
            return call
        drive = self._drives.get(call.unit)
        if drive is not None and drive.order.key == call.key:
            return replace(call, args=drive.order.to_args())
        seen = self._sight.see(call.unit)
        if seen is None or call.unit not in self.traffic.plans.cars:
            return Judgement(Ruling.WAIT, "place_not_known")
        if seen.is_broken:
            return Judgement(Ruling.WAIT, "vehicle_broken_down")
        if drive is not None or seen.state is TransportState.RUNNING:
            return Judgement(Ruling.WAIT, "vehicle_has_an_order")
        if seen.node != self._node(call.unit):
            return Judgement(Ruling.WAIT, "place_not_known")
        order = self._wish(call)
        if order is None:
            return Judgement(Ruling.NO, "bad_argument")
        self._heard[call.unit] = (
            self._clock.wall_ns()
        )  # the arbiter has let it pass, whatever the brain may do by itself
        self.traffic.away(call.unit, False)
        if order.route:
            drive = drives.begin(self.traffic, order, HANDLING_S, self._now())
        else:
            drive = drives.give_way(self.traffic, order)
            if drive is None:
                return Judgement(Ruling.NO, "nobody_comes")
        if drive is None:
            return Judgement(Ruling.WAIT, "no_way_free")
        drive.by = by
        self._drives[call.unit] = drive
        return replace(call, args=drive.order.to_args())

    def _wish(self, call: Call) -> TransportOrder | None:
        """The order as it was proposed, which may come from anybody; None where its stops are no places on the roads."""
        try:
            order = TransportOrder.from_args(call.key, call.unit, dict(call.args))
            if order.route:
                drives.stops_of(self.traffic.network, order, HANDLING_S)
        except (TypeError, ValueError, KeyError, IndexError):
            return None
        return replace(order, update=0, stitch=0)

    async def keep(self, call: Call) -> None:
        """Before the order is sent for the first time."""
        drive = self._drives.get(call.unit)
        if drive is not None:
            await asyncio.to_thread(self._records.keep, drive)
            self.traffic.granted(call.unit, self._now())

    async def came_to_nothing(self, call: Call) -> None:
        """The order was refused, or never arrived, or failed: its vehicle has leave for nothing more."""
        drive = self._drives.get(call.unit)
        if drive is not None and drive.order.key == call.key:
            await self._over(call.unit, drive.order.route[drive.at], None)

    def figures(self) -> dict[str, int]:
        """Counts for health."""
        return {
            "vehicles": len(self.traffic.plans.cars),
            "orders": len(self._drives),
            "updates": self.updates,
        }

    # --- the loop

    async def run(self) -> None:
        """Until cancelled."""
        if not self._vehicles:
            return
        await self._take_up()
        planned_ns = 0
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._clock.sleep_wall(LOOK_WALL_S)
                for name in self._vehicles:
                    await self._follow(name)
                if self._clock.wall_ns() - planned_ns >= PLAN_WALL_S * NS:
                    planned_ns = self._clock.wall_ns()
                    self.traffic.look(self._now())
                    self.traffic.improve(self._now())
                for name in self._vehicles:
                    await self._onward(name, tasks)

    async def _take_up(self) -> None:
        """What the last process left: vehicles stand where they were last known, with the leave that they have."""
        known = await asyncio.to_thread(self._records.load)
        now, network = self._now(), self.traffic.network
        for name in self._vehicles:
            last = known.get(name)
            if isinstance(last, Drive):
                last.is_lost = True  # nothing is measured yet in a process that has just begun
                drives.place(self.traffic, last, now)
                self._drives[name] = last
            elif last is not None and last.node in network.node:
                lane = network.lane.get((network.node.get(last.came, -1), network.node[last.node]))
                heading = None if lane is None else network.lanes[lane].heading
                self.traffic.stand(name, network.node[last.node], heading, now)
        for name, drive in self._drives.items():
            drives.resume(self.traffic, drive, HANDLING_S, now)
            if drive.order.update:
                drive.begun = True
                self._unsent[name] = drive.order.update

    async def _follow(self, name: str) -> None:
        """Enter what the vehicle measures."""
        seen, wall_ns = self._sight.see(name), self._clock.wall_ns()
        drive, now = self._drives.get(name), self._now()
        if seen is not None and seen.may_command and self._ladder_lets(name, drive):
            self._heard[name] = wall_ns
        if seen is not None and drive is None:
            self._stands(name, seen, now)
        elif seen is not None and drive is not None and seen.order == drive.order.key:
            drive.begun = True
            await self._drives_on(name, drive, seen, now)
        elif seen is not None and drive is not None and drive.begun:
            log.warning("%s has forgotten order %d", name, drive.order.key)
            await self._over(name, seen.node, seen.heading)
        if name in self.traffic.plans.cars:
            silent_ns = wall_ns - self._heard.setdefault(name, wall_ns)
            is_broken = seen is not None and seen.is_broken
            self.traffic.away(name, is_broken or silent_ns > AWAY_WALL_S * NS)

    def _stands(self, name: str, seen: Seen, now: float) -> None:
        """Without an order of ours it stands, unless somebody drives it by hand."""
        car = self.traffic.plans.cars.get(name)
        node = self.traffic.network.node[seen.node]
        unsure = car is not None and len(car.here.lanes) > 1 and seen.heading is not None and not car.ahead
        if car is None or car.here.end != node or (unsure and len(self.traffic.network.into[node]) > 1):
            lanes = self.traffic.network.standing_on(node, seen.heading)
            if car is None or car.here.end != node or lanes != car.here.lanes:
                self.traffic.stand(name, node, seen.heading, now)

    async def _drives_on(self, name: str, drive: Drive, seen: Seen, now: float) -> None:
        car = self.traffic.car(name)
        known = (drive, seen, car.here, car.here.stops, car.granted)
        before, self._entered[name] = self._entered.get(name, ()), known
        if len(before) == len(known) and all(old is new for old, new in zip(before, known, strict=True)):
            return
        if not drive.follow(self.traffic, seen.node, seen.load, now):
            log.warning("%s is at %s, off its way", name, seen.node)
            self.traffic.stand(name, self.traffic.network.node[seen.node], seen.heading, now)
            drive.first, drive.at = self.traffic.car(name).here.number, 0
            drive.order = replace(drive.order, route=(seen.node,), released=1)
        if seen.state is not TransportState.RUNNING:
            failed = seen.node if seen.state is TransportState.FAILED else None
            now_ns, key = self._clock.now_ns(), drive.order.key
            told = (self._plant.id, "act", now_ns, name, key, seen.state.name, seen.load)
            await self._over(name, failed, seen.heading, TransportProgressed(*told))
            return
        onward = drive.first + drive.at + 1
        step = next((s for s in self.traffic.car(name).steps if s.number == onward and s.granted), None)
        if (
            step is not None
            and seen.at_m is not None
            and self.traffic.network.past_crossing(step.lanes[0], *seen.at_m)
        ):
            self.traffic.cleared(name, onward, now)

    async def _over(
        self,
        name: str,
        stopped_at: str | None,
        heading: float | None,
        ended: TransportProgressed | None = None,
    ) -> None:
        """Its order has ended; where it ended before its time, the leave beyond is void."""
        if stopped_at is not None:
            self.traffic.stand(name, self.traffic.network.node[stopped_at], heading, self._now())
        self.traffic.done(name, self._now())
        here, network = self.traffic.car(name).here, self.traffic.network
        came = network.names[network.lanes[here.lanes[0]].start] if len(here.lanes) == 1 else ""
        await asyncio.to_thread(self._records.over, name, Rest(network.names[here.end], came), ended)
        self._outbox.poke()
        self._drives.pop(name, None)
        self._unsent.pop(name, None)

    async def _onward(self, name: str, tasks: asyncio.TaskGroup) -> None:
        """Extend its order, or let it give way."""
        drive, wall_ns = self._drives.get(name), self._clock.wall_ns()
        if name in self._asking or name not in self.traffic.plans.cars:
            return
        if drive is None:
            if self.traffic.must_go(name, self._now()) and self._may_ask(name, wall_ns):
                self._asked[name] = wall_ns
                await self._ask_to_go(name)
            return
        if name not in self._unsent and not self.traffic.may_grant(name):
            return
        seen = self._sight.see(name)
        if seen is None or seen.order != drive.order.key or seen.state is not TransportState.RUNNING:
            return
        autonomy = self._people.autonomy
        if self._arbiter.judge(_extension(drive), wall_ns, autonomy, by=drive.by).ruling is not Ruling.YES:
            return  # it waits at the end of what it has leave for
        if name not in self._unsent and self.traffic.grant(name):
            drive.order = drive.extended(self.traffic)
            self._unsent[name] = drive.order.update
        if name in self._unsent:
            if not await asyncio.to_thread(self._records.keep, drive, autonomy.version):
                self._people.poke()
                return
            self._asking.add(name)
            tasks.create_task(self._extend(name, drive))

    def _ladder_lets(self, name: str, drive: Drive | None) -> bool:
        """Whether the ladder lets it go on with its order, or go away if it has none: who stands where the brain may not
        command is not counted on to make room."""
        autonomy, last = self._people.autonomy, self._lets.get(name)
        if last is not None and last[0] is autonomy and last[1] is drive:
            return last[2]
        call = _extension(drive) if drive is not None else Call(name, Verb.TRANSPORT, 0)
        by = drive.by if drive is not None else BRAIN
        lets = permit(autonomy, call, by, "").ruling is not Ruling.NO
        self._lets[name] = autonomy, drive, lets
        return lets

    def _may_ask(self, name: str, wall_ns: int) -> bool:
        """An idle vehicle may be asked to give way, and was not lately; where people approve, not while it may wait for them."""
        if self.traffic.car(name).is_stuck:
            return False
        call = Call(name, Verb.TRANSPORT, 0)
        judgement = self._arbiter.judge(call, wall_ns, self._people.autonomy, by=BRAIN)
        waits = judgement.reason == Said.WAITS
        if judgement.ruling is not Ruling.YES and not waits:
            return False
        pause_s = self._plant.ladder.approval_s if waits else ASK_WALL_S
        return wall_ns - self._asked.get(name, -(10**18)) >= pause_s * NS

    async def _extend(self, name: str, drive: Drive) -> None:
        """Send the update; the vehicle compares its number, so that it may be sent until it is confirmed."""
        try:
            await self._confirm(name, drive)
        finally:
            self._asking.discard(name)

    async def _confirm(self, name: str, drive: Drive) -> None:
        order = drive.order
        writer = self._writers[self._plant.unit_of[name].connection]
        self._arbiter.extended(name, self._clock.wall_ns())
        answer = await writer.call(Call(name, Verb.EXTEND_TRANSPORT, order.key, order.to_args()))
        if answer.outcome is Outcome.ACCEPTED:
            self.updates += 1
            if self._unsent.get(name) == order.update:
                del self._unsent[name]
            if self._drives.get(name) is drive:
                self.traffic.granted(name, self._now())
        elif answer.outcome is Outcome.REFUSED:
            log.info("%s refused update %d of order %d: %s", name, order.update, order.key, answer.reason)
            await self._clock.sleep_wall(ASK_WALL_S)

    async def _ask_to_go(self, name: str) -> None:
        """A command of the fleet's own, with all that belongs to one."""
        now_ns = self._clock.now_ns()
        args = {"lot": 0, "route": [], "pick_at": 0, "drop_at": 0, "pick_unit": "", "drop_unit": ""}
        proposal = Proposed(
            plant=self._plant.id,
            source="act",
            t_ns=now_ns,
            proposal=f"way.{name}.{now_ns}",
            unit=name,
            verb=Verb.TRANSPORT.name,
            args=json.dumps(args),
            decision=by_rule(GIVES_WAY),
            reason=GIVES_WAY,
            subject=f"vehicle:{name}",
            expires_ns=now_ns + round(VALID_WALL_S * self._speed * NS),
            by=BRAIN,
        )
        await asyncio.to_thread(self._records.propose, proposal)
        self._outbox.poke()

    def _node(self, name: str) -> str:
        return self.traffic.network.names[self.traffic.car(name).here.end]

    def _now(self) -> float:
        """Plant seconds."""
        return self._clock.now_ns() / NS


def _extension(drive: Drive) -> Call:
    """What is judged of an update: the order's key and the places between which it carries."""
    order = drive.order
    args = {"pick_unit": order.pick_unit, "drop_unit": order.drop_unit}
    return Call(order.vehicle, Verb.EXTEND_TRANSPORT, order.key, args)


def limits_for(network: Network, lag_s: float) -> Limits:
    """As many lanes ahead as are driven until the next leave can be there, and a few to choose from."""
    seconds = sorted(lane.seconds for lane in network.lanes)
    lane_s = seconds[len(seconds) // 2] if seconds else 1.0
    least = 2 + math.ceil(lag_s / lane_s)
    return Limits(least + 3, least)
