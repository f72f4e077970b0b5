"""Takes Proposed from the bus, lives each command to its end, and says every step as CommandChanged."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from zhongshu.act.arbiter import Arbiter
from zhongshu.act.autonomy import BY_LADDER, Freshness, Wellness
from zhongshu.act.book import Command, CommandBook
from zhongshu.act.claims import Claims
from zhongshu.act.effects import Effect, Effects, Verdict, patience_s
from zhongshu.act.fleet.master import Fleet
from zhongshu.act.judgement import Judgement, Ruling
from zhongshu.act.life import ended
from zhongshu.act.people import People
from zhongshu.act.samples import samples_of
from zhongshu.kernel.bus import Bus, Message
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.latest import Latest
from zhongshu.kernel.outbox import Outbox
from zhongshu.kernel.ports import Writer
from zhongshu.kernel.store import Store
from zhongshu.kernel.wire import WireError, decode_event
from zhongshu.model import subjects
from zhongshu.model.autonomy import BRAIN, Autonomy, Said
from zhongshu.model.commands import Answer, Call, CommandStatus, Outcome, Verb, Word
from zhongshu.model.messages import AutonomyChanged, CommandRuled, Event, Proposed
from zhongshu.model.plant import Plant

log = logging.getLogger(__name__)
S = CommandStatus
LOOK_WALL_S = 0.1
#: An effect is looked for as soon as its unit tells something, and so often in any case.
PROOF_WALL_S = 0.5
#: What waits for a person may be hundreds of commands; none of them is in a hurry of tenths of a second.
QUEUE_WALL_S = 0.5
#: What people say is in the store; act looks when the bus tells it to, and so often in any case.
PEOPLE_WALL_S = 1.0
#: What a person approved must be sent within this wall time.
APPROVED_WALL_S = 60.0
#: That a unit never took a request must show for so long, beyond ``stale_after_s``: a silent unit's values are Bad by then.
SURE_WALL_S = 2.0
#: Requests that carry a key which the device compares may be asked again; so often, and never others.
ASK_AGAIN = 3
KEYED = frozenset(
    {Verb.START_JOB, Verb.TRANSPORT, Verb.STOP, Verb.RESET, Verb.HOLD, Verb.UNHOLD, Verb.ABORT_JOB}
)


class Act:
    """Owns every command of the plant from proposal to proof."""

    def __init__(
        self,
        plant: Plant,
        bus: Bus,
        store: Store,
        clock: Clock,
        latest: Latest,
        writers: Mapping[str, Writer],
    ) -> None:
        self._plant, self._bus, self._clock, self._writers = plant, bus, clock, writers
        self._latest = latest
        self._book = CommandBook(plant.id, store, clock)
        self._people = People(plant, store, clock, latest, self._book)
        self._effects = Effects(plant, latest)
        self._wellness, self._freshness = Wellness(plant, latest), Freshness(plant, latest)
        self._claims = Claims(plant, latest)
        self._arbiter = Arbiter(plant, latest, self._claims)
        self._unknown: dict[int, Command] = {}
        self._outbox = Outbox(plant.id, "act", store, bus, clock)
        self.fleet = Fleet(plant, store, clock, latest, writers, self._arbiter, self._people, self._outbox)
        self._sure_ns = round((plant.stale_after_s + SURE_WALL_S) * 1e9)
        self.counts: Counter[str] = Counter()

    async def run(self) -> None:
        """Until cancelled. Open commands are taken up where they were left."""
        position = await asyncio.to_thread(self._book.position)
        still_open = await asyncio.to_thread(self._book.open)
        self.counts.update(await asyncio.to_thread(self._book.ended))
        await asyncio.to_thread(self._people.begin, still_open)
        for command in still_open:
            if command.status not in (S.PROPOSED, S.APPROVED):
                self._claims.take(command.call)
            if command.status is S.UNKNOWN:
                self._claims.unknown(command.call)
        for call in await asyncio.to_thread(self._book.at_work):
            self._claims.take(call, under_way=False)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._outbox.run())
            tasks.create_task(self._watch_unknown())
            tasks.create_task(self.fleet.run())
            tasks.create_task(self._watch_data())
            tasks.create_task(self._listen(tasks))
            for kind in (AutonomyChanged, CommandRuled):
                tasks.create_task(self._hear(kind))
            for command in still_open:
                tasks.create_task(self._resume(command))
            pattern = subjects.events(self._plant.id, Proposed.__name__)
            async for message in self._bus.replay(subjects.EVENTS, after=position, subject=pattern):
                event = self._read(message)
                if isinstance(event, Proposed):
                    entered = await asyncio.to_thread(self._book.enter, event, message.seq)
                    self._outbox.poke()
                    if entered is not None:
                        tasks.create_task(self._live_through(entered))

    @staticmethod
    def _read(message: Message) -> Event | None:
        try:
            return decode_event(message.subject, message.payload)
        except WireError as error:
            log.warning("a proposal could not be read: %s", error)
            return None

    @property
    def unknown(self) -> int:
        """Commands nobody has proof of."""
        return len(self._unknown)

    @property
    def autonomy(self) -> Autonomy:
        """How far the brain may go, as act goes by it now."""
        return self._people.autonomy

    # --- people

    async def _hear(self, kind: type[Event]) -> None:
        """A word on the bus only says that there is one in the store."""
        pattern = subjects.events(self._plant.id, kind.__name__)
        async for _ in self._bus.replay(subjects.EVENTS, after=-1, subject=pattern):
            self._people.poke()

    async def _listen(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            await self._people.news(PEOPLE_WALL_S)
            for command in await asyncio.to_thread(self._people.look):
                self._outbox.poke()
                tasks.create_task(self._live_through(command))

    async def _watch_data(self) -> None:
        """An area whose data are stale goes a rung down."""
        while True:
            await self._clock.sleep_wall(1.0)
            for area, share in list(self._freshness.stale(self._clock.wall_ns())):
                if await asyncio.to_thread(self._people.stale, area, share):
                    log.warning("%s: autonomy lowered, %.0f %% of its points are good", area, 100 * share)
                    self._people.poke()
                    self._outbox.poke()

    # --- a command's life

    async def _resume(self, command: Command) -> None:
        """After a restart: what was perhaps sent is judged by the measured state first; only keyed requests are asked again."""
        if command.status is S.UNKNOWN:
            self._unknown[command.call.key] = command
            return
        if command.status in (S.PROPOSED, S.APPROVED):
            await self._live_through(command)
            return
        if command.status is S.SENT and command.call.verb in KEYED:
            command = await self._ask(command, again=True)
        command = await self._prove(command)
        await self._live_through(command)

    async def _live_through(self, command: Command) -> None:
        if command.status is S.PROPOSED:
            command = await self._approve(command)
        while command.status is S.APPROVED:
            if self._clock.now_ns() > command.expires_ns:
                command = await self._step(command, S.EXPIRED, "validity_ended_before_it_was_sent")
                return
            command, judgement = await self._routed(command, self._judge(command))
            if judgement.ruling is Ruling.YES:
                command = await self._send(command, judgement)
            elif judgement.ruling is Ruling.NO:
                command = await self._step(command, S.REFUSED, judgement.reason)
            else:
                await self._clock.sleep_wall(LOOK_WALL_S)

    async def _routed(self, command: Command, judgement: Judgement) -> tuple[Command, Judgement]:
        """A transport order that may go gets its way, or has to wait for one."""
        if judgement.ruling is not Ruling.YES or command.call.verb is not Verb.TRANSPORT:
            return command, judgement
        routed = self.fleet.route(command.call, command.by)
        if not isinstance(routed, Call):
            return command, routed
        await self.fleet.keep(routed)
        return replace(command, call=routed), judgement

    def _judge(self, command: Command) -> Judgement:
        return self._arbiter.judge(
            command.call,
            self._clock.wall_ns(),
            self._people.autonomy,
            by=command.by,
            approved_by=command.approved_by,
        )

    async def _approve(self, command: Command) -> Command:
        """Wait for the arbiter's yes, and a person's where the ladder wants one; what gets none never reaches the wire."""
        if command.call.verb is Verb.EXTEND_TRANSPORT:
            return await self._step(command, S.REFUSED, "only_the_fleet_extends_orders")
        while True:
            word = self._people.word(command.call.key, Word.APPROVE, Word.REJECT)
            if word is not None and word.ruling == Word.REJECT:
                detail = ": ".join(part for part in (Said.REJECTED, word.note) if part)
                return await self._step(command, S.REFUSED, detail, by=word.by)
            if word is not None:
                until_ns = self._clock.to_plant_ns(self._clock.wall_ns() + round(APPROVED_WALL_S * 1e9))
                return await self._approved(command, word.by, note=word.note, expires_ns=until_ns)
            judgement = self._judge(command)
            if judgement.ruling is Ruling.NO:
                return await self._step(command, S.REFUSED, judgement.reason)
            if judgement.reason == Said.WAITS and not command.waits:
                command = await self._queue(command)
            if self._clock.now_ns() > command.expires_ns:
                why = Said.NOBODY if judgement.reason == Said.WAITS else judgement.reason
                return await self._step(command, S.EXPIRED, why or "validity_ended_before_it_was_sent")
            if judgement.ruling is Ruling.YES:
                return await self._approved(command, BY_LADDER)
            await self._clock.sleep_wall(QUEUE_WALL_S if command.waits else LOOK_WALL_S)

    async def _approved(self, command: Command, by: str, *, note: str = "", expires_ns: int = 0) -> Command:
        approve = partial(self._book.approve, command, by, note=note, expires_ns=expires_ns)
        command = await asyncio.to_thread(approve)
        self._outbox.poke()
        return command

    async def _queue(self, command: Command) -> Command:
        """It stands in the queue of a person, for longer than a proposal is good for otherwise."""
        until_ns = self._clock.wall_ns() + round(self._plant.ladder.approval_s * 1e9)
        expires_ns = max(command.expires_ns, self._clock.to_plant_ns(until_ns))
        command = await asyncio.to_thread(self._book.wait, command, Said.WAITS, expires_ns)
        self._outbox.poke()
        return command

    async def _send(self, command: Command, judgement: Judgement) -> Command:
        self._claims.take(command.call)
        self._arbiter.sent(command.call.unit, self._clock.wall_ns())
        samples = samples_of(self._latest, judgement.points)
        send = partial(self._book.send, command, samples, self._people.autonomy.version)
        sent = await asyncio.to_thread(send)
        if sent is None:  # somebody changed how far we may go: look, and have it judged again
            self._claims.ended(command.call, took_effect=False)
            self._people.poke()
            await self._clock.sleep_wall(LOOK_WALL_S)
            return command
        self._outbox.poke()
        command = await self._ask(sent)
        return await self._prove(command)

    async def _ask(self, command: Command, *, again: bool = False) -> Command:
        """Put the request on the wire; afterwards the command is accepted, refused, back in the queue, or still sent.

        ``again``: it may have left before. Once it may have, no later failure to send makes it unsent.
        """
        tries = ASK_AGAIN if command.call.verb in KEYED else 1
        until_ns = self._clock.wall_ns() + round(patience_s(command.call.verb) * 1e9)
        for _ in range(tries):
            if again and not await self._may_ask_again(command, until_ns):
                return command
            answer = await self._write(command)
            if answer.outcome is Outcome.ACCEPTED:
                return await self._step(command, S.ACCEPTED, answer.reason)
            if answer.outcome is Outcome.REFUSED:
                return await self._step(command, S.REFUSED, f"{answer.result.name.lower()}: {answer.reason}")
            if answer.outcome is Outcome.NOT_SENT and not again:
                await self._clock.sleep_wall(0.5)
                return await self._step(command, S.APPROVED, f"not_sent: {answer.reason}")
            again = True
        return command

    async def _may_ask_again(self, command: Command, until_ns: int) -> bool:
        """The arbiter's yes is needed each time; no where the effect shows, validity or patience ends, or it says no."""
        while self._clock.wall_ns() < until_ns and self._clock.now_ns() < command.expires_ns:
            if self._effects.judge(command.call).verdict is not Verdict.NOT_YET:
                return False
            ruling = self._judge(command).ruling
            if ruling is Ruling.YES:
                self._arbiter.sent(command.call.unit, self._clock.wall_ns())
                return True
            if ruling is Ruling.NO:
                return False
            await self._clock.sleep_wall(LOOK_WALL_S)
        return False

    async def _write(self, command: Command) -> Answer:
        call = command.call
        writer = self._writers[self._plant.unit_of[call.unit].connection]
        if call.verb is Verb.SET_PARAMETER:
            return await writer.write(int(call.args["point"]), float(call.args["value"]))
        return await writer.call(call)

    async def _prove(self, command: Command) -> Command:
        """Look at the points until the effect shows or patience ends."""
        if command.status not in (S.SENT, S.ACCEPTED):
            return command
        until_ns = self._clock.wall_ns() + round(patience_s(command.call.verb) * 1e9)
        while True:
            effect = self._effects.judge(command.call)
            if effect.verdict is not Verdict.NOT_YET:
                return await self._end(command, effect)
            if self._clock.wall_ns() > until_ns:
                command = await self._missed(command, S.UNKNOWN, "no_effect_seen_in_time")
                self._unknown[command.call.key] = command
                return command
            await self._latest.news(self._effects.points(command.call), PROOF_WALL_S)

    async def _end(self, command: Command, effect: Effect, how: str = "") -> Command:
        """Proven or failed, as measured."""
        if effect.verdict is Verdict.FAILED and command.status is not S.UNKNOWN:
            return await self._missed(command, S.FAILED, how + effect.proof, effect)
        status = S.PROVEN if effect.verdict is Verdict.SEEN else S.FAILED
        return await self._step(command, status, how + effect.proof, effect=effect)

    async def _missed(
        self, command: Command, status: CommandStatus, detail: str, effect: Effect | None = None
    ) -> Command:
        """It ends without proof. Where the device itself is well, that counts against the brain's standing in its area."""
        if command.by != BRAIN or not self._wellness.well(command.call.unit):
            return await self._step(command, status, detail, effect=effect)
        samples = samples_of(self._latest, effect.points) if effect is not None else []
        command, lowered = await asyncio.to_thread(self._people.missed, command, status, detail, samples)
        await self._came_to(command)
        if lowered:
            log.warning("%s: autonomy lowered after failed confirmations", command.call.unit)
            self._people.poke()
        return command

    async def _watch_unknown(self) -> None:
        """A later measurement may still tell what became of an unknown command, or a named person says it."""
        since_ns: dict[int, int] = {}
        while True:
            await self._clock.sleep_wall(1.0)
            now_ns = self._clock.wall_ns()
            for key, command in list(self._unknown.items()):
                word = self._people.word(key, Word.PROVEN, Word.FAILED)
                if word is not None:
                    del self._unknown[key]
                    detail = ": ".join(part for part in ("said_by_a_person", word.note) if part)
                    await self._step(command, S(word.ruling), detail, by=word.by)
                    continue
                effect = self._effects.judge(command.call)
                if effect.verdict is Verdict.NOT_YET:
                    effect = self._effects.never(command.call)
                    first_ns = since_ns.setdefault(key, now_ns)
                    if effect.verdict is Verdict.NOT_YET:
                        since_ns[key] = now_ns
                    elif now_ns - first_ns < self._sure_ns:
                        continue
                if effect.verdict is not Verdict.NOT_YET:
                    del self._unknown[key]
                    since_ns.pop(key, None)
                    await self._end(command, effect, "measured later: ")

    async def _step(
        self,
        command: Command,
        status: CommandStatus,
        detail: str,
        *,
        by: str = "act",
        effect: Effect | None = None,
    ) -> Command:
        samples = samples_of(self._latest, effect.points) if effect is not None else []
        step = partial(self._book.step, command, status, detail, by=by, samples=samples)
        command = await asyncio.to_thread(step)
        await self._came_to(command)
        return command

    async def _came_to(self, command: Command) -> None:
        """Tell of the step that is in the store now; what nobody works on any more lets go of what it had."""
        self._outbox.poke()
        if command.call.verb is Verb.TRANSPORT and command.status in (S.REFUSED, S.EXPIRED, S.FAILED):
            await self.fleet.came_to_nothing(command.call)
        if ended(command.status):
            self.counts[command.status.value] += 1
        if command.status is S.UNKNOWN:
            self._claims.unknown(command.call)
        elif command.status is S.APPROVED or ended(command.status):
            self._claims.ended(command.call, took_effect=command.status is S.PROVEN)
