"""A test stand for one command at a time or many: the twin's machines behind wires that play tricks, and an act that dies."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from tests.loop.mortal import Life, MortalBus, MortalStore, only_killed
from tests.loop.wire import TIMEOUT_S, Wire
from tests.twin.small import EXACT, small_plant
from zhongshu.act.act import Act
from zhongshu.kernel.clock import NS
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.latest import Latest
from zhongshu.kernel.memory_bus import MemoryBus
from zhongshu.kernel.ports import Reads
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.rulings import rule_on
from zhongshu.kernel.store.signed import Signed
from zhongshu.kernel.store.tables import Command, CommandStep
from zhongshu.kernel.virtual import LoopClock, VirtualLoop
from zhongshu.kernel.wire import decode_event, publish_event
from zhongshu.model import subjects
from zhongshu.model.autonomy import Ladder, Level
from zhongshu.model.batch import Batch
from zhongshu.model.commands import ENDS, Answer, Call, Outcome, Verb
from zhongshu.model.messages import CommandChanged, Proposed
from zhongshu.model.plant import Plant
from zhongshu.twin.direct import DirectPlant
from zhongshu.twin.twin import Twin

SPEED = 20.0
#: Wall seconds after which every command must have come to its end: approval, validity, asking, patience, second looks.
SETTLED_S = 150.0
VALID_S = 30.0
#: So long everything stays as it is when all have come to their ends, in case something comes late.
OVER_S = 4.0


class Trick(StrEnum):
    """What becomes of one request on its way."""

    OBEY = "obey"
    LATE = "late answer"
    LOST_ANSWER = "answer lost"
    LOST = "request lost"
    NOT_SENT = "not sent"
    ARRIVES_LATE = "arrives after its timeout"
    LIES = "accepted and not done"


@dataclass(frozen=True)
class Wish:
    """One proposal: what is asked of whom, how its requests fare, when it comes, and what a person says of it."""

    unit: str
    verb: Verb
    args: Mapping[str, Any] = field(default_factory=dict)
    tricks: tuple[Trick, ...] = ()
    after_s: float = 0.0
    word: str = "approve"
    twice: bool = False


@dataclass(frozen=True)
class Asked:
    """One request as the wire saw it; ``status`` is what the store said of its command, after so many ``steps``."""

    key: int
    call: Call
    trick: Trick
    status: str
    steps: int


class TrickyWire(Wire):
    """Every request of a command meets that command's next trick."""

    stand: Stand

    async def ask(self, call: Call) -> Answer:
        """There and back, or not."""
        return await self._tricked(call, lambda: self._link.call(call))

    async def set(self, point: int, value: float) -> Answer:
        """A plain write; which command it belongs to shows by its value."""
        key = self.stand.key_of_write(point, value)
        call = Call("", Verb.SET_PARAMETER, key, {"point": point, "value": value})

        async def written() -> Answer:
            self.stand.writes[key] += 1
            return await self._link.write(point, value)

        return await self._tricked(call, written)

    async def _tricked(self, call: Call, done: Any) -> Answer:
        trick = self.stand.asked_now(call)
        match trick:
            case Trick.NOT_SENT:
                return Answer(Outcome.NOT_SENT, reason="no connection")
            case Trick.LIES:
                return Answer(Outcome.ACCEPTED)
            case Trick.LOST:
                await self._clock.sleep_wall(TIMEOUT_S)
                return Answer(Outcome.UNKNOWN, reason="timeout")
            case Trick.ARRIVES_LATE:
                # On its way already: whatever becomes of who sent it, it arrives.
                self.stand.later(TIMEOUT_S + 1.0, done)
                await self._clock.sleep_wall(TIMEOUT_S)
                return Answer(Outcome.UNKNOWN, reason="timeout")
        answer: Answer = await done()
        if trick is Trick.LATE:
            await self._clock.sleep_wall(TIMEOUT_S * 0.75)
        if trick is Trick.LOST_ANSWER:
            await self._clock.sleep_wall(TIMEOUT_S)
            return Answer(Outcome.UNKNOWN, reason="timeout")
        return answer


class Seat:
    """The Writer that one life of act has on a wire; death may come before a request leaves or before its answer is read."""

    def __init__(self, wire: TrickyWire, life: Life) -> None:
        self._wire, self._life = wire, life

    async def call(self, call: Call) -> Answer:
        """One request."""
        self._life.step()
        answer = await self._wire.ask(call)
        self._life.step()
        return answer

    async def write(self, point: int, value: float) -> Answer:
        """One write."""
        self._life.step()
        answer = await self._wire.set(point, value)
        self._life.step()
        return answer


class Eyes:
    """What sense would hand on: every sample into the newest values of the living act."""

    def __init__(self, latest: Latest) -> None:
        self._latest = latest

    def reads(self, reads: Reads) -> None:
        """As they are; the stand's points have no scale."""
        batch = Batch("small", "x", 1, reads.received_ns, reads.point, reads.t_ns, reads.value, reads.quality)
        self._latest.update(batch)

    def connected(self) -> None:
        """Nothing to do."""

    def lost(self, reason: str) -> None:
        """No wire is cut here."""


class Stand:
    """Use within ``async with``, on a VirtualLoop.

    ``deaths``: after so many steps each life ends, or so many wall seconds after the last wish; the life after them does not.
    """

    def __init__(
        self, folder: Path, wishes: Sequence[Wish], deaths: Sequence[tuple[int, float]], *, approve: bool
    ) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.wishes, self._deaths = list(wishes), list(deaths)
        self.clock = LoopClock(loop, SPEED)
        self.store = Store(f"sqlite:///{folder / 'store.db'}")
        self.store.migrate()
        ladder = Ladder(default=Level.APPROVE if approve else Level.ACT, approval_s=40.0, failures=0)
        self.plant: Plant = replace(assign_ids(small_plant(), self.store), ladder=ladder)
        self.bus = MemoryBus(now_s=loop.time)
        self.twin = Twin(self.plant, EXACT, self.clock, 1)
        self.direct = DirectPlant(self.twin, self.plant)
        self.began: Counter[int] = Counter()  # jobs and drives, by key
        self.answered: Counter[int] = Counter()
        self.writes: Counter[int] = Counter()
        self.asked: list[Asked] = []
        self.lives = 0
        self.words: dict[int, str] = {}
        self._left: defaultdict[int, list[Trick]] = defaultdict(list)
        for key, wish in enumerate(self.wishes, 1):
            self._left[key] = list(wish.tricks)
        self.twin.floor.shop.book = self._happened
        self.wires = {name: self._wire(name, link) for name, link in self.direct.links.items()}
        self._beside: list[asyncio.Task[Any]] = []
        self.act: Act | None = None

    def _wire(self, name: str, link: Any) -> TrickyWire:
        wire = TrickyWire(link, self.plant, name, self.twin, self.clock, 1, lambda _wire, _call: None)
        wire.stand = self
        return wire

    def _happened(self, kind: str, _t_ns: int, fields: Mapping[str, Any]) -> None:
        if kind in ("job", "transport") and not fields["end"]:
            self.began[fields["key"]] += 1
        elif kind == "answer" and fields["verb"] != Verb.EXTEND_TRANSPORT.name:
            self.answered[fields["key"]] += 1

    # --- what the wires ask

    def asked_now(self, call: Call) -> Trick:
        """The next trick of that command; what the store says of it is noted. Extensions are no commands, and arrive."""
        if call.verb is Verb.EXTEND_TRANSPORT:
            return Trick.OBEY
        left = self._left[call.key]
        trick = left.pop(0) if left else Trick.OBEY
        with self.store.read() as session:
            status = session.get_one(Command, call.key).status
            mine = select(func.count()).where(CommandStep.command == call.key)
            steps = session.scalar(mine) or 0
        self.asked.append(Asked(call.key, call, trick, status, steps))
        return trick

    def key_of_write(self, point: int, value: float) -> int:
        """Every write of the wishes has a value of its own."""
        with self.store.read() as session:
            rows = session.scalars(select(Command).where(Command.verb == Verb.SET_PARAMETER.name))
            return next(r.key for r in rows if (r.args["point"], r.args["value"]) == (point, value))

    def later(self, wall_s: float, done: Any) -> None:
        """It happens then, whoever is dead."""
        loop = asyncio.get_running_loop()
        loop.call_later(wall_s, lambda: self._beside.append(asyncio.ensure_future(done())))

    # --- the play

    async def __aenter__(self) -> Stand:
        self._beside = [asyncio.create_task(self.direct.run()), asyncio.create_task(self._person())]
        self._beside += [
            asyncio.create_task(link.run(self.wires[n])) for n, link in self.direct.links.items()
        ]
        await self.clock.sleep_wall(1.0)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        await self.bus.close()
        self.store.close()

    async def play(self) -> None:
        """All wishes, all deaths, and the last life until everything has settled."""
        wishing = asyncio.create_task(self._wish())
        self._beside.append(wishing)
        for steps, and_then_s in self._deaths:
            await self._live(Life(steps), until=wishing.done, and_then_s=and_then_s)
            await self.clock.sleep_wall(0.7)
        await self._live(Life(), until=wishing.done, and_then_s=SETTLED_S)
        for task in self._beside:
            if task.done():
                task.result()

    async def _live(self, life: Life, *, until: Any, and_then_s: float) -> None:
        self.lives += 1
        latest = Latest(self.plant)
        for wire in self.wires.values():
            wire.attach(Eyes(latest))  # type: ignore[arg-type] - it needs no more of a sink
        seats = {name: Seat(wire, life) for name, wire in self.wires.items()}
        self.act = Act(
            self.plant,
            MortalBus(self.bus, life, {}),
            MortalStore(self.store, life),  # type: ignore[arg-type]
            self.clock,
            latest,
            seats,
        )
        task = asyncio.create_task(self.act.run())
        after_s = over_s = 0.0
        while not task.done() and not life.dead and after_s < and_then_s and over_s < OVER_S:
            await self.clock.sleep_wall(0.25)
            if until():
                after_s += 0.25
                over_s = over_s + 0.25 if after_s > OVER_S and self._over() else 0.0
        life.dead = True
        task.cancel()
        (end,) = await asyncio.gather(task, return_exceptions=True)
        if end is not None and not isinstance(end, asyncio.CancelledError) and not only_killed(end):
            raise end

    def _over(self) -> bool:
        """Every command has come to an end that no measurement changes any more."""
        with self.store.read() as session:
            still = select(Command.key).where(
                Command.status.not_in([s.value for s in ENDS if s != "unknown"])
            )
            return session.scalar(select(func.count(Command.key))) == len(self.wishes) and not list(
                session.scalars(still)
            )

    async def _wish(self) -> None:
        for number, wish in enumerate(self.wishes, 1):
            await self.clock.sleep_wall(wish.after_s)
            for copy in range(1 + wish.twice):
                now, wall = self.clock.now_ns(), self.clock.wall_ns()
                event = Proposed(
                    self.plant.id,
                    "decide",
                    now,
                    f"wish.{number}",
                    wish.unit,
                    wish.verb.name,
                    json.dumps(dict(wish.args)),
                    "test",
                    "test",
                    f"wish:{number}",
                    self.clock.to_plant_ns(wall + round(VALID_S * NS)),
                    "brain",
                )
                await publish_event(self.bus, event, msg_id=f"proposal.{number}.{copy}")

    async def _person(self) -> None:
        """Looks at the queue now and then, and says what the wish says that is said."""
        while True:
            await self.clock.sleep_wall(0.9)
            with self.store.begin() as session:
                for row in session.scalars(select(Command).where(Command.waits.is_(True))):
                    word = self.wishes[row.key - 1].word
                    if word and row.key not in self.words:
                        rule_on(session, self.plant.id, row.key, word, Signed("Li", self.clock.now_ns()))
                        self.words[row.key] = word

    # --- what came of it

    def commands(self) -> list[Command]:
        """All of the store, in the order of their keys."""
        with self.store.read() as session:
            return list(session.scalars(select(Command).order_by(Command.key)))

    def steps(self) -> dict[int, list[CommandStep]]:
        """By command, in order."""
        found: defaultdict[int, list[CommandStep]] = defaultdict(list)
        with self.store.read() as session:
            for step in session.scalars(select(CommandStep).order_by(CommandStep.id)):
                found[step.command].append(step)
        return dict(found)

    async def told(self) -> dict[int, list[str]]:
        """Every step that reached the bus, by command, in order."""
        found: defaultdict[int, list[str]] = defaultdict(list)
        pattern = subjects.events(self.plant.id, CommandChanged.__name__)
        replay = self.bus.replay(subjects.EVENTS, after=0, subject=pattern)
        try:
            while True:
                async with asyncio.timeout(0.1):
                    message = await anext(replay)
                event = decode_event(message.subject, message.payload)
                assert isinstance(event, CommandChanged)
                found[event.command].append(event.status)
        except TimeoutError:
            return dict(found)

    def story(self) -> str:
        """For whoever reads a failure."""
        lines = [f"{self.lives} lives"]
        for key, steps in self.steps().items():
            row = self.commands()[key - 1]
            walk = " → ".join(f"{s.status}({s.detail})" for s in steps)
            lines.append(f"{key} {row.verb} {row.unit}: {walk}")
        lines += [f"asked {a.key} {a.call.verb.name}: {a.trick} while {a.status}" for a in self.asked]
        return "\n".join([*lines, f"began {dict(self.began)} writes {dict(self.writes)}"])
