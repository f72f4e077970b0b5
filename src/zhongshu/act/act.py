"""Takes Proposed from the bus, lives each command to its end, and says every step as CommandChanged."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from zhongshu.act.arbiter import Arbiter, Ruling
from zhongshu.act.book import Command, CommandBook
from zhongshu.act.effects import Effects, Verdict, patience_s
from zhongshu.act.fleet.master import Fleet
from zhongshu.act.life import ended
from zhongshu.kernel.bus import Bus, Message
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.latest import Latest
from zhongshu.kernel.outbox import Outbox
from zhongshu.kernel.ports import Writer
from zhongshu.kernel.store import Store
from zhongshu.kernel.wire import WireError, decode_event
from zhongshu.model import subjects
from zhongshu.model.commands import Answer, Call, CommandStatus, Outcome, Verb
from zhongshu.model.messages import Event, Proposed
from zhongshu.model.plant import Plant

log = logging.getLogger(__name__)
S = CommandStatus
LOOK_WALL_S = 0.1
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
        self._book = CommandBook(plant.id, store, clock)
        self._effects = Effects(plant, latest)
        self._live: dict[str, set[int]] = {}
        self._arbiter = Arbiter(plant, latest, lambda unit: self._live.get(unit, set()))
        self._unknown: dict[int, Command] = {}
        self._outbox = Outbox(plant.id, "act", store, bus, clock)
        self.fleet = Fleet(plant, store, clock, latest, writers, self._arbiter, self._outbox)
        self._sure_ns = round((plant.stale_after_s + SURE_WALL_S) * 1e9)
        self.counts: Counter[str] = Counter()

    async def run(self) -> None:
        """Until cancelled. Open commands are taken up where they were left."""
        position = await asyncio.to_thread(self._book.position)
        still_open = await asyncio.to_thread(self._book.open)
        self.counts.update(await asyncio.to_thread(self._book.ended))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._outbox.run())
            tasks.create_task(self._watch_unknown())
            tasks.create_task(self.fleet.run())
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

    async def _resume(self, command: Command) -> None:
        """After a restart: what was perhaps sent is judged by the measured state first; only keyed requests are asked again."""
        if command.status is S.UNKNOWN:
            self._unknown[command.call.key] = command
            return
        if command.status in (S.PROPOSED, S.APPROVED):
            await self._live_through(command)
            return
        with self._holding(command):
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
            judgement = self._arbiter.judge(command.call, self._clock.wall_ns())
            if judgement.ruling is Ruling.YES and command.call.verb is Verb.TRANSPORT:
                routed = self.fleet.route(command.call)
                if isinstance(routed, Call):
                    command = replace(command, call=routed)
                    await self.fleet.keep(routed)
                else:
                    judgement = routed
            if judgement.ruling is Ruling.YES:
                command = await self._send(command)
            elif judgement.ruling is Ruling.NO:
                command = await self._step(command, S.REFUSED, judgement.reason)
            else:
                await self._clock.sleep_wall(LOOK_WALL_S)

    async def _approve(self, command: Command) -> Command:
        """Wait for the arbiter's yes; what it refuses or keeps waiting too long never reaches the wire."""
        if command.call.verb is Verb.EXTEND_TRANSPORT:
            return await self._step(command, S.REFUSED, "only_the_fleet_extends_orders")
        while True:
            judgement = self._arbiter.judge(command.call, self._clock.wall_ns())
            if judgement.ruling is Ruling.NO:
                return await self._step(command, S.REFUSED, judgement.reason)
            if self._clock.now_ns() > command.expires_ns:
                return await self._step(
                    command, S.EXPIRED, judgement.reason or "validity_ended_before_it_was_sent"
                )
            if judgement.ruling is Ruling.YES:
                return await self._step(command, S.APPROVED, "")
            await self._clock.sleep_wall(LOOK_WALL_S)

    async def _send(self, command: Command) -> Command:
        with self._holding(command):
            self._arbiter.sent(command.call.unit, self._clock.wall_ns())
            command = await self._step(command, S.SENT, "")
            command = await self._ask(command)
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
            ruling = self._arbiter.judge(command.call, self._clock.wall_ns()).ruling
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
            if effect.verdict is Verdict.SEEN:
                return await self._step(command, S.PROVEN, effect.proof)
            if effect.verdict is Verdict.FAILED:
                return await self._step(command, S.FAILED, effect.proof)
            if self._clock.wall_ns() > until_ns:
                command = await self._step(command, S.UNKNOWN, "no_effect_seen_in_time")
                self._unknown[command.call.key] = command
                return command
            await self._clock.sleep_wall(LOOK_WALL_S)

    async def _watch_unknown(self) -> None:
        """A later measurement may still tell what became of an unknown command."""
        since_ns: dict[int, int] = {}
        while True:
            await self._clock.sleep_wall(1.0)
            now_ns = self._clock.wall_ns()
            for key, command in list(self._unknown.items()):
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
                    status = S.PROVEN if effect.verdict is Verdict.SEEN else S.FAILED
                    await self._step(command, status, f"measured later: {effect.proof}")

    async def _step(self, command: Command, status: CommandStatus, detail: str) -> Command:
        command = await asyncio.to_thread(self._book.step, command, status, detail)
        self._outbox.poke()
        if command.call.verb is Verb.TRANSPORT and status in (S.REFUSED, S.EXPIRED, S.FAILED):
            await self.fleet.came_to_nothing(command.call)
        if ended(status):
            self.counts[status.value] += 1
        return command

    def _holding(self, command: Command) -> _Hold:
        return _Hold(self._live.setdefault(command.call.unit, set()), command.call.key)


class _Hold:
    """Marks a command as under way on its unit while it is on the wire or waiting for its effect."""

    def __init__(self, live: set[int], key: int) -> None:
        self._live, self._key = live, key

    def __enter__(self) -> None:
        self._live.add(self._key)

    def __exit__(self, *_: object) -> None:
        self._live.discard(self._key)
