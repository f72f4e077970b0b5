"""A choice becomes a Proposed message, and the lot or vehicle remembers that it was asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from zhongshu.decide.first_come import Choice, Move, Start
from zhongshu.decide.follow import PlanInForce
from zhongshu.decide.roads import Roads
from zhongshu.decide.vehicles import Charge, Recall
from zhongshu.decide.work import Lot, LotStatus, Vehicle, Work
from zhongshu.model.autonomy import BRAIN
from zhongshu.model.commands import Verb
from zhongshu.model.decisions import by_plan, by_rule, plan_of
from zhongshu.model.messages import Proposed

SOURCE = "decide"
#: A proposal that could not be sent for so long (plant time at speed 1) is chosen anew instead.
VALID_NS = 60_000_000_000


class Proposer:
    """Writes proposals; ``speed`` stretches their validity so that it is a matter of wall time."""

    def __init__(self, work: Work, roads: Roads, speed: float) -> None:
        self._work, self._roads, self._valid_ns = work, roads, round(VALID_NS * max(1.0, speed))

    def propose(self, choice: Choice, now_ns: int, plan: PlanInForce | None = None) -> Proposed | None:
        """The message, with the version of the ``plan`` in force and whether it goes by that; None where the way turned out not
        to exist."""
        made = self._made(choice, now_ns, plan)
        return made if made is None or plan is None else replace(made, plan=plan.version)

    def _made(self, choice: Choice, now_ns: int, plan: PlanInForce | None) -> Proposed | None:
        match choice:
            case Start():
                return self._start(choice, now_ns, self._goes_by(plan, choice.lot, choice.unit))
            case Move():
                return self._move(choice, now_ns, self._goes_by(plan, choice.lot, choice.to_unit))
            case Charge():
                return self._charge(choice, now_ns)
            case Recall():
                return self._recall(choice, now_ns)

    def _goes_by(self, plan: PlanInForce | None, lot: Lot, unit: str) -> str:
        """The plan where it has the lot's next task on this unit; else the rule, first come, first served."""
        if plan is not None and plan.unit(*self._work.next_task(lot)) == unit:
            return by_plan(plan.version)
        return by_rule("first_come")

    def _start(self, choice: Start, now_ns: int, decision: str) -> Proposed:
        lot = choice.lot
        product, step = self._work.product(lot), self._work.step(lot)
        assert step is not None  # FirstCome starts only lots that have a next operation
        args = {
            "lot": lot.number,
            "product": product.code,
            "operation": step.operation,
            "quantity": max(1, self._work.buildable(lot, choice.unit)),
        }
        lot.status, lot.command = LotStatus.STARTING, 0
        lot.proposal = f"job.{lot.number}.{lot.next_step}.{lot.attempt}"
        self._work.touch(lot)
        return self._message(
            lot.proposal,
            choice.unit,
            Verb.START_JOB,
            args,
            "planned_unit" if plan_of(decision) else "first_come_free_unit",
            f"lot:{lot.number}",
            now_ns,
            decision,
        )

    def _move(self, choice: Move, now_ns: int, decision: str) -> Proposed | None:
        lot, vehicle = choice.lot, self._work.vehicles[choice.vehicle]
        units = self._work.plant.unit_of
        end = units[choice.to_unit].station
        start = vehicle.node if choice.on_board else units[choice.from_unit].station
        there, loaded = self._roads.route(vehicle.node, start), self._roads.route(start, end)
        if not there or not loaded:
            return None
        route = there + loaded[1:]
        args = {
            "lot": lot.number,
            "route": list(route),
            "pick_at": len(there) - 1,  # of a lot on board: where the vehicle stands; it picks nothing
            "drop_at": len(route) - 1,
            "pick_unit": choice.from_unit,
            "drop_unit": choice.to_unit,
        }
        proposal = f"move.{lot.number}.{lot.next_step}.{lot.attempt}.{now_ns}"
        lot.status, lot.proposal, lot.command = LotStatus.MOVING, proposal, 0
        self._work.touch(lot)
        vehicle.lot, vehicle.to_unit, vehicle.moving_to = lot.number, choice.to_unit, end
        self._occupy(choice.vehicle, vehicle, proposal)
        return self._message(
            proposal,
            choice.vehicle,
            Verb.TRANSPORT,
            args,
            "least_driving_in_all",
            f"lot:{lot.number}",
            now_ns,
            decision,
        )

    def _charge(self, choice: Charge, now_ns: int) -> Proposed | None:
        vehicle = self._work.vehicles[choice.vehicle]
        route = self._roads.route(vehicle.node, choice.node)
        if not route:
            return None
        args = {
            "lot": 0,
            "route": list(route),
            "pick_at": -1,
            "drop_at": -1,
            "pick_unit": "",
            "drop_unit": "",
        }
        proposal = f"charge.{choice.vehicle}.{now_ns}"
        vehicle.moving_to = choice.node
        self._occupy(choice.vehicle, vehicle, proposal)
        return self._message(
            proposal,
            choice.vehicle,
            Verb.TRANSPORT,
            args,
            "battery_low",
            f"vehicle:{choice.vehicle}",
            now_ns,
            by_rule("battery"),
        )

    def _recall(self, choice: Recall, now_ns: int) -> Proposed:
        vehicle = self._work.vehicles[choice.vehicle]
        vehicle.recalled = True
        self._work.dirty_vehicles.add(choice.vehicle)
        proposal, subject = f"recall.{choice.vehicle}.{vehicle.command}", f"lot:{vehicle.lot}"
        return self._message(
            proposal,
            choice.vehicle,
            Verb.CANCEL_TRANSPORT,
            {"order": vehicle.command},
            choice.reason,
            subject,
            now_ns,
            by_rule("recall"),
        )

    def _occupy(self, name: str, vehicle: Vehicle, proposal: str) -> None:
        vehicle.proposal, vehicle.command = proposal, 0
        self._work.dirty_vehicles.add(name)

    def _message(
        self,
        proposal: str,
        unit: str,
        verb: Verb,
        args: dict[str, Any],
        reason: str,
        subject: str,
        now_ns: int,
        decision: str,
    ) -> Proposed:
        return Proposed(
            plant=self._work.plant.id,
            source=SOURCE,
            t_ns=now_ns,
            proposal=proposal,
            unit=unit,
            verb=verb.name,
            args=json.dumps(args),
            decision=decision,
            reason=reason,
            subject=subject,
            expires_ns=now_ns + self._valid_ns,
            by=BRAIN,
        )
