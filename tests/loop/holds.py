"""What must hold while the brain runs the plant: judged by the twin's own book of events, by the wires and by the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from tests.loop import agreement
from tests.loop.wire import TIMEOUT_S, Wire
from zhongshu.kernel.clock import NS
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Command, Lot, WorkOrder
from zhongshu.kernel.virtual import LoopClock
from zhongshu.model import roles
from zhongshu.model.commands import ENDS, Call, CommandStatus, Verb
from zhongshu.model.orders import WorkOrder as Ordered
from zhongshu.model.plant import Plant
from zhongshu.model.states import COMMANDABLE
from zhongshu.plant.brain import Brain
from zhongshu.twin.twin import Twin

S = CommandStatus
#: Answers that a brain which knows its floor never gets; the others come of races it cannot win.
SENSELESS = frozenset({"BUSY", "NO_MATERIAL", "NOT_CAPABLE", "OUTPUT_FULL", "BAD_ARGUMENT", "UNKNOWN_VERB"})
#: Wall seconds within which the brain has taken in what a wire told it.
KNOWN_WITHIN_S = 1.0
#: … within which a silent device's points have turned Bad, beyond the plant's own limit.
BAD_WITHIN_S = 1.5
#: … within which a new brain has taken up what it found.
TAKEN_UP_S = 5.0
#: … within which a command that was sent has come to its end: three tries, and the patience for asking and for the effect.
SENT_WITHIN_S = 3 * TIMEOUT_S + 2 * 15.0 + TAKEN_UP_S
#: … for which store and twin may tell different stories of a lot.
APART_S = 8.0


class Holds:
    """Collects what happens; ``broken`` gets one line for everything that did not hold."""

    def __init__(self, plant: Plant, twin: Twin, store: Store, clock: LoopClock) -> None:
        self.plant, self.twin, self.store, self.clock = plant, twin, store, clock
        self.begun_ns = clock.wall_ns()
        self.broken: list[str] = []
        self.refusals: Counter[str] = Counter()
        self.calls: dict[int, Call] = {}
        self.asked: Counter[tuple[str, Verb]] = Counter()
        self.orders: dict[str, Ordered] = {}
        self.starts: list[tuple[int, int]] = []  # (plant time, lot) of every job, as the twin began it
        self._jobs: dict[str, int] = {}
        self._drives: dict[str, tuple[int, int]] = {}
        self._done: set[tuple[int, int]] = set()
        self._born_ns = self.begun_ns
        self._apart: dict[int, tuple[int, str]] = {}

    # --- what happens

    def born(self) -> None:
        """A new brain runs."""
        self._born_ns = self.clock.wall_ns()

    def died(self) -> None:
        """Nobody runs the plant."""
        self._apart.clear()

    def ordered(self, order: Ordered) -> None:
        """A customer's order was taken in."""
        self.orders[order.id] = order

    def happened(self, kind: str, t_ns: int, fields: Mapping[str, Any]) -> None:
        """The twin's book gets a line."""
        match kind:
            case "job":
                self._job(t_ns, fields["unit"], fields["key"], fields["lot"], fields["end"])
            case "transport":
                self._drive(fields["unit"], fields["key"], fields["end"])
            case "collision":
                self.say(f"{fields['unit']} met {fields['other']} at {fields['place']}")
            case "answer" if fields["result"] != "OK":
                self._refused(fields["unit"], fields["verb"], fields["key"], fields["result"])

    def _job(self, t_ns: int, unit: str, key: int, lot: int, end: str) -> None:
        """No unit has two jobs at once, no operation is done twice on a lot."""
        if not end:
            if unit in self._jobs:
                self.say(f"{unit} began job {key} while {self._jobs[unit]} was open")
            self._jobs[unit] = key
            self.starts.append((t_ns, lot))
            return
        if self._jobs.pop(unit, 0) != key:
            self.say(f"{unit} ended job {key}, which it had not")
        work = (lot, int(self.calls[key].args["operation"]))
        if end == "done" and work in self._done:
            self.say(f"operation {work[1]} of lot {lot} was done twice")
        self._done.add(work)

    def _drive(self, vehicle: str, key: int, end: str) -> None:
        """No vehicle has two transports at once, no lot two vehicles."""
        if end:
            self._drives.pop(vehicle, None)
            return
        lot = int(self.calls[key].args["lot"])
        if vehicle in self._drives:
            self.say(f"{vehicle} began transport {key} while {self._drives[vehicle][0]} was open")
        if lot and any(lot == other for _, other in self._drives.values()):
            self.say(f"{vehicle} was sent for lot {lot}, for which another one drives")
        self._drives[vehicle] = (key, lot)

    def _refused(self, unit: str, verb: str, key: int, result: str) -> None:
        self.refusals[f"{verb} {result}"] += 1
        if result in SENSELESS:
            self.say(f"{unit} answered {verb} {key} {dict(self.calls[key].args)} with {result}")

    def called(self, wire: Wire, call: Call) -> None:
        """A request is about to leave: never to a unit of which the brain knows that it may not, or knows nothing."""
        if call.verb is not Verb.EXTEND_TRANSPORT:  # which has the key of the order that it extends
            self.calls[call.key] = call
        self.asked[call.unit, call.verb] += 1
        now, unit = self.clock.wall_ns(), self.plant.unit_of[call.unit]
        what = f"{call.verb.name} {call.key} went to {call.unit}"
        if not wire.up and now - wire.down_since_ns > KNOWN_WITHIN_S * NS:
            self.say(f"{what}, whose connection had been down for {(now - wire.down_since_ns) / NS:.1f} s")
        # Sense takes a unit for there, and its last values for good, until it was silent for so long on a new connection
        # or to a new brain.
        heard = max(wire.heard_ns.get(call.unit, 0), wire.stands_ns)
        if now - heard > (self.plant.stale_after_s + BAD_WITHIN_S) * NS:
            self.say(f"{what}, which had been silent for {(now - heard) / NS:.1f} s")
        mode = self.plant.role(unit, roles.UNIT_MODE)
        told = wire.told.get(mode.id, []) if mode is not None else []
        old = [t.value for t in told if t.wall_ns <= now - KNOWN_WITHIN_S * NS][-1:]
        possible = old + [t.value for t in told if t.wall_ns > now - KNOWN_WITHIN_S * NS]
        if told and not any(int(value) in COMMANDABLE for value in possible):
            self.say(f"{what}, whose mode was known to be {possible}")

    # --- looks

    def look(self, brain: Brain | None) -> None:
        """Once a second: nobody in limbo, and no lasting difference between store and floor."""
        self._limbo(brain)
        self._lots(brain)

    def _limbo(self, brain: Brain | None) -> None:
        """Every command comes to an end in its time; an unknown one is shown."""
        now_ns, wall_ns = self.clock.now_ns(), self.clock.wall_ns()
        age_s = (wall_ns - self._born_ns) / NS
        if brain is None or age_s < TAKEN_UP_S:
            return
        speed = self.clock.speed
        with self.store.read() as session:
            rows = list(session.scalars(select(Command).where(Command.status.not_in(_OVER))))
        for row in rows:
            if row.status in (S.PROPOSED.value, S.APPROVED.value):
                late_s = (now_ns - row.expires_ns) / speed / NS - TAKEN_UP_S
            elif row.status == S.UNKNOWN.value:
                late_s = -1.0 if row.key in brain.act._unknown else age_s - TAKEN_UP_S
            else:
                late_s = (now_ns - (row.sent_ns or 0)) / speed / NS - SENT_WITHIN_S
            if min(late_s, age_s - SENT_WITHIN_S) > 0:
                self.say(f"command {row.key} ({row.verb} to {row.unit}) is in limbo: {row.status}")

    def _lots(self, brain: Brain | None) -> None:
        """The store's lots and places are the twin's, but for the time that news take."""
        wall_ns = self.clock.wall_ns()
        apart = {} if brain is None else agreement.differences(self.store, self.twin)
        self._apart = {
            lot: (self._apart[lot][0] if lot in self._apart else wall_ns, text) for lot, text in apart.items()
        }
        for lot, (since_ns, text) in self._apart.items():
            if wall_ns - max(since_ns, self._born_ns) > APART_S * NS:
                self.say(f"lot {lot}: {text}")

    def quiet(self) -> None:
        """Something is in the way of news: what differs now has time again when it is gone."""
        self._apart.clear()

    def all_done(self) -> bool:
        """Every order has come to its end."""
        with self.store.read() as session:
            done = session.scalars(select(WorkOrder.id).where(WorkOrder.status == "done"))
            return set(self.orders) <= set(done)

    def at_the_end(self, brain: Brain | None) -> None:
        """All orders done, nobody at work, every command at its end, and not one piece unaccounted for."""
        for text in agreement.pieces(self.store, self.twin, self.orders):
            self.say(text)
        with self.store.read() as session:
            for row in session.scalars(select(Command).where(Command.status.not_in([s.value for s in ENDS]))):
                self.say(f"command {row.key} ({row.verb} to {row.unit}) still {row.status}")
            unknown = len(list(session.scalars(select(Command).where(Command.status == S.UNKNOWN.value))))
        if brain is None or unknown != brain.act.unknown:
            self.say(f"{unknown} unknown commands, of which {brain and brain.act.unknown} are shown")
        if self._jobs or any(lot for _, lot in self._drives.values()):
            self.say(f"still at work: {self._jobs} {self._drives}")

    def say(self, text: str) -> None:
        """Something did not hold; said once."""
        if text not in self.broken:
            self.broken.append(text)

    def picture(self) -> str:
        """How things stand, for whoever reads a failure."""
        with self.store.read() as session:
            orders = list(session.scalars(select(WorkOrder)))
            lots = [x for x in session.scalars(select(Lot)) if x.status not in agreement.CLOSED]
            commands = list(session.scalars(select(Command).where(Command.status.not_in(_OVER))))
        lines = [f"order {o.id} {o.quantity} × {o.product}: {o.status} {o.done}+{o.scrapped}" for o in orders]
        lines += [
            f"lot {x.id} of {x.order_id} {x.product} {x.status} step {x.next_step} at {x.place or '-'}"
            f"{' out' if x.at_output else ''} → {x.target or '-'} try {x.attempt} {x.proposal} {x.command}"
            for x in lots[:30]
        ]
        lines += [f"command {c.key} {c.verb} {c.unit} {c.status} {c.detail}" for c in commands]
        for name, m in self.twin.floor.machines.items():
            job = m.open_job
            lines.append(
                f"{name}: {m.state.name} {m.mode.name} job {job and job.key} {job and job.state.name}"
            )
        for name, v in self.twin.floor.vehicles.items():
            lines.append(
                f"{name}: {v.state.name} {v.mode.name} {v.phase} load {v.load} order {v.order and v.order.key}"
            )
        return "\n".join([*lines, f"refusals {dict(self.refusals)}"])


_OVER = [s.value for s in ENDS if s is not S.UNKNOWN]
