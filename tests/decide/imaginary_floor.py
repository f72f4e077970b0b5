"""A floor that does what it is told, in turns: it checks every start and move it gets and reports back as understand would."""

from __future__ import annotations

import json
import random

from tests.decide.small_plant import TREE, assembled, make_plant
from zhongshu.decide.dispatching import Dispatch
from zhongshu.decide.explode import explode, grow, remake
from zhongshu.decide.first_come import Move, Start
from zhongshu.decide.follow import Follow, PlanInForce
from zhongshu.decide.progress import Progress
from zhongshu.decide.propose import Proposer
from zhongshu.decide.roads import Roads
from zhongshu.decide.work import Order, Vehicle, Work
from zhongshu.model.messages import (
    CommandChanged,
    JobProgressed,
    OrderReceived,
    Proposed,
    TransportProgressed,
)
from zhongshu.model.plant import Plant

TURN_NS = 1_000_000_000


class ImaginaryFloor:
    """Runs a dispatch, by default first come, first served, against a floor with random durations, refusals and scrap; ``seed``
    repeats a run. ``plan`` may be set."""

    def __init__(self, plant: Plant, seed: int, refusals: float = 0.0, scrap: float = 0.0) -> None:
        self.dispatch: Dispatch = Follow
        self.plan: PlanInForce | None = None
        self.work = Work(plant)
        self.roads = Roads(plant.roads)
        self.progress = Progress(self.work)
        self.proposer = Proposer(self.work, self.roads, 1.0)
        self.random = random.Random(seed)
        self.refusals, self.scrap = refusals, scrap
        self.now_ns, self.key, self.number = 10**18, 0, 0
        self.jobs: dict[str, tuple[int, Proposed, int]] = {}
        self.drives: dict[str, tuple[int, Proposed, int]] = {}
        self.lying: dict[int, tuple[str, str]] = {}
        self.processed: list[tuple[int, int]] = []
        self.recalled: list[Proposed] = []
        for unit in plant.units:
            self.work.states[unit.id] = ("IDLE", "PRODUCTION")
        for unit in plant.vehicles:
            self.work.vehicles[unit.id] = Vehicle(node=plant.roads.nodes[0].id, battery=90.0)

    def order(self, name: str, quantity: int) -> None:
        """A customer orders."""
        self.progress.apply(
            OrderReceived("small", "test", self.now_ns, name, "hood", quantity, 2 * 10**18, 0, 5)
        )

    def release(self) -> None:
        """Explode what was received."""
        for order in self.work.orders.values():
            if order.status == "received":
                order.status = "released"
                for lot in explode(self.work.plant, order, self._next_number):
                    self.work.lots[lot.number] = lot

    def turn(self) -> None:
        """One second: choose, obey, finish what is due."""
        self.now_ns += TURN_NS
        while self.work.lost:
            remake(self.work, self.work.lost.pop(), self._next_number)
        grow(self.work, self._next_number)
        self.release()
        self.choose()
        self._finish()

    def choose(self) -> None:
        """Choose, and obey."""
        for choice in list(self.dispatch(self.work, self.roads, self.now_ns, self.plan).choices()):
            proposal = self.proposer.propose(choice, self.now_ns)
            if proposal is None:
                continue
            if isinstance(choice, Start | Move):
                self.progress.proposed(proposal.proposal, choice.lot)
            self._obey(proposal)

    def run(self, turns: int) -> None:
        """Many turns."""
        for _ in range(turns):
            self.turn()

    @property
    def orders(self) -> dict[str, Order]:
        """By id."""
        return self.work.orders

    def _next_number(self) -> int:
        self.number += 1
        return self.number

    def _obey(self, proposal: Proposed) -> None:
        self.key += 1
        if self.random.random() < self.refusals:
            self._say(proposal, "refused")
            return
        self._say(proposal, "proven")
        if proposal.verb == "CANCEL_TRANSPORT":
            key, _, _ = self.drives.pop(proposal.unit)
            self.recalled.append(proposal)
            self.progress.apply(
                TransportProgressed("small", "test", self.now_ns, proposal.unit, key, "FAILED", 0)
            )
            return
        until = self.now_ns + self.random.randint(2, 20) * TURN_NS
        args = json.loads(proposal.args)
        if proposal.verb == "START_JOB":
            assert proposal.unit not in self.jobs, f"{proposal.unit} is double-booked"
            self.jobs[proposal.unit] = (self.key, proposal, until)
            self.work.states[proposal.unit] = ("EXECUTE", "PRODUCTION")
            self.progress.apply(
                JobProgressed("small", "test", self.now_ns, proposal.unit, self.key, "RUNNING", 0, 0)
            )
        else:
            assert proposal.unit not in self.drives, f"{proposal.unit} is double-booked"
            if args["lot"]:
                assert self.lying.get(args["lot"]) == (args["pick_unit"], "out"), (
                    "picked where it does not lie"
                )
            self.drives[proposal.unit] = (self.key, proposal, until)

    def _finish(self) -> None:
        for unit, (key, proposal, until) in list(self.jobs.items()):
            if until <= self.now_ns:
                del self.jobs[unit]
                self._end_job(unit, key, json.loads(proposal.args))
        for vehicle, (key, proposal, until) in list(self.drives.items()):
            if until <= self.now_ns:
                del self.drives[vehicle]
                args = json.loads(proposal.args)
                if args["lot"]:
                    self.lying[args["lot"]] = (args["drop_unit"], "in")
                self.work.vehicles[vehicle].node = args["route"][-1]
                self.progress.apply(
                    TransportProgressed("small", "test", self.now_ns, vehicle, key, "DONE", 0)
                )

    def _end_job(self, unit: str, key: int, args: dict[str, int]) -> None:
        self.work.states[unit] = ("IDLE", "PRODUCTION")
        scrap = sum(self.random.random() < self.scrap for _ in range(args["quantity"]))
        self.processed.append((args["lot"], args["operation"]))
        self.lying[args["lot"]] = (unit, "out")
        good = args["quantity"] - scrap
        self.progress.apply(JobProgressed("small", "test", self.now_ns, unit, key, "DONE", good, scrap))

    def _say(self, proposal: Proposed, status: str) -> None:
        event = CommandChanged(
            "small",
            "act",
            self.now_ns,
            self.key,
            proposal.proposal,
            proposal.unit,
            proposal.verb,
            status,
            "",
            "",
        )
        self.progress.apply(event)


def tree_floor(seed: int, **chances: float) -> ImaginaryFloor:
    """For a product that is built of three parts, one of which enters late."""
    parts = {"body": ["a-cut", "b-bend"], "lid": ["a-cut"], "motor": ["c-wind"]}
    products = assembled(["d-build", "e-mount"], parts, late_parts=("motor",))
    return ImaginaryFloor(make_plant(TREE, vehicles=2, products=products), seed, **chances)
