"""Asks the policies that are switched on, and turns their advice into proposals; nothing is asked twice while it is open."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from zhongshu.decide.follow import PlanInForce
from zhongshu.decide.policies.advice import Advice, Ask, Remake, Wait
from zhongshu.decide.policies.facts import Facts
from zhongshu.decide.policies.measured import Measured, Meter
from zhongshu.decide.policies.policy import Policy
from zhongshu.decide.work import Work
from zhongshu.kernel.clock import NS
from zhongshu.kernel.latest import Latest
from zhongshu.model.commands import ENDS, CommandStatus, Verb
from zhongshu.model.messages import CommandChanged, Event, Proposed
from zhongshu.model.plant import Plant, Point

log = logging.getLogger(__name__)
SOURCE = "decide"
#: So often policies are asked, in plant time; in a plant that runs faster than its brain looks, at every look.
LOOK_NS = 20 * NS
#: Of one policy at one look; and set-points of all policies at one look, so that a plant is not switched in one stroke.
ADVICE_MOST, ASKS_MOST = 2000, 12
#: A set-point that came to nothing is not asked for again for so long; one that could not be sent is dropped after VALID_NS.
PAUSE_NS, VALID_NS = 120 * NS, 60 * NS
GAVE_UP = frozenset({CommandStatus.REFUSED, CommandStatus.EXPIRED, CommandStatus.FAILED})


@dataclass(slots=True)
class Coordination:
    """Owned by decide, asked at every pass. ``speed``: plant seconds in a wall second, stretches what is a matter of wall time."""

    plant: Plant
    latest: Latest
    policies: Sequence[Policy]
    speed: float = 1.0
    #: Units that are not to begin anything at present, with the reason.
    waiting: dict[str, str] = field(default_factory=dict)
    #: By unit: the proposal that is open and its point. One at a time: what is asked next may depend on it.
    _open: dict[str, tuple[str, str]] = field(default_factory=dict)
    _not_before_ns: dict[tuple[str, str], int] = field(default_factory=dict)
    _idle_ns: dict[str, int] = field(default_factory=dict)
    _waiting_ns: dict[str, int] = field(default_factory=dict)
    _looked_ns: int = -LOOK_NS
    _points: dict[tuple[str, str], Point] = field(default_factory=dict)
    _measured: Measured = field(init=False)
    _meter: Meter = field(init=False)
    _complained: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._points = {(p.unit, p.name): p for p in self.plant.points}
        self._measured, self._meter = Measured(self.plant, self.latest), Meter(self.plant, self.latest)

    def hear(self, event: Event) -> None:
        """What became of what was asked."""
        if not isinstance(event, CommandChanged):
            return
        status = CommandStatus(event.status)
        if (
            status not in ENDS or status is CommandStatus.UNKNOWN
        ):  # unknown is still open: a measurement may end it
            return
        proposal, point = self._open.get(event.unit, ("", ""))
        if proposal == event.proposal:
            del self._open[event.unit]
            if status in GAVE_UP:
                pause_ns = round(PAUSE_NS * max(1.0, self.speed))
                self._not_before_ns[event.unit, point] = event.t_ns + pause_ns

    def look(self, work: Work, plan: PlanInForce | None, now_ns: int) -> list[Proposed]:
        """What is to be asked now; ``waiting`` and the work's own list of what is to be made more are brought up to date."""
        if not self.policies or now_ns - self._looked_ns < LOOK_NS:
            return []
        self._looked_ns = now_ns
        facts = self._facts(work, plan, now_ns)
        advice = [(policy, each) for policy in self.policies for each in self._advice(policy, facts)]
        self.waiting = {each.unit: each.reason for _, each in advice if isinstance(each, Wait)}
        self._waiting_ns = {unit: self._waiting_ns.get(unit, now_ns) for unit in self.waiting}
        proposals: list[Proposed] = []
        for policy, each in advice:
            if isinstance(each, Remake) and each.order in work.orders and each.pieces > 0:
                work.grown.append((each.order, each.pieces))
                log.info("%s: %s more for order %s: %s", policy.name, each.pieces, each.order, each.reason)
            elif isinstance(each, Ask) and len(proposals) < ASKS_MOST and self._may(policy, each, now_ns):
                proposals.append(self._proposed(policy, each, now_ns))
        return proposals

    def _facts(self, work: Work, plan: PlanInForce | None, now_ns: int) -> Facts:
        load = self._meter.read(now_ns)
        measured = self._measured
        facts = Facts(now_ns, work, plan, measured, load, self._idle_ns, self._waiting_ns, measured.time_ns)
        idle = [unit.id for unit in self.plant.machines if facts.idle(unit.id)]
        self._idle_ns.update({unit: self._idle_ns.get(unit, now_ns) for unit in idle})
        for unit in self._idle_ns.keys() - set(idle):
            del self._idle_ns[unit]
        return facts

    def _advice(self, policy: Policy, facts: Facts) -> Iterator[Advice]:
        """One that fails says nothing this time, and the log says so once: a rule of somebody's own stops no plant."""
        try:
            yield from islice(policy.advise(facts), ADVICE_MOST)
        except Exception as error:  # noqa: BLE001 - a rule of somebody's own may do anything wrong
            self._complain(f"policy {policy.name!r} failed: {type(error).__name__}: {error}")

    def _may(self, policy: Policy, ask: Ask, now_ns: int) -> bool:
        key = ask.unit, ask.point
        point = self._points.get(key)
        if point is None or not point.writable:
            self._complain(f"policy {policy.name!r}: {ask.unit} has no set-point {ask.point!r}")
            return False
        if ask.unit in self._open or self._not_before_ns.get(key, 0) > now_ns:
            return False
        if self._measured.get(key) == ask.value:
            return False
        return ask.unit not in self.waiting or not self._draws_power(ask)

    def _draws_power(self, ask: Ask) -> bool:
        """It brings a unit back from rest."""
        rest = self.plant.type_of[self.plant.unit_of[ask.unit].type].rest
        return rest is not None and rest.point == ask.point and not rest.resting(ask.value)

    def _proposed(self, policy: Policy, ask: Ask, now_ns: int) -> Proposed:
        name = f"policy.{policy.name}.{ask.unit}.{ask.point}.{now_ns}"
        self._open[ask.unit] = name, ask.point
        return Proposed(
            plant=self.plant.id,
            source=SOURCE,
            t_ns=now_ns,
            proposal=name,
            unit=ask.unit,
            verb=Verb.SET_PARAMETER.name,
            args=json.dumps({"point": self._points[ask.unit, ask.point].id, "value": ask.value}),
            decision=policy.name,
            reason=ask.reason,
            subject=f"unit:{ask.unit}",
            expires_ns=now_ns + round(VALID_NS * max(1.0, self.speed)),
            by="brain",
        )

    def _complain(self, text: str) -> None:
        if text not in self._complained:
            self._complained.add(text)
            log.error("%s", text)
