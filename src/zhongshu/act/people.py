"""What people say reaches act here: autonomy as it stands, and their words on single commands, read from the store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from zhongshu.act.autonomy import recent, too_many
from zhongshu.act.book import STAGE, Command, CommandBook, Samples
from zhongshu.act.stopping import Asked, after_stop, ends_stop, own_proposal
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.latest import Latest
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.act_tables import AutonomyChange, CommandRuling
from zhongshu.kernel.store.autonomy import autonomy_changes, autonomy_version, load_autonomy, step_down
from zhongshu.kernel.store.meta import get_meta, set_meta
from zhongshu.kernel.store.rulings import rulings, rulings_after
from zhongshu.kernel.store.signed import Signed
from zhongshu.kernel.store.tables import Command as CommandRow
from zhongshu.kernel.waiting import happens
from zhongshu.model.autonomy import BRAIN, Autonomy, Kind
from zhongshu.model.commands import CommandStatus, Word
from zhongshu.model.plant import Plant

S = CommandStatus
#: The newest change of autonomy whose stops act has carried out.
CHANGES = "act.changes"
FAILURES = "act.failures."
#: So many changes are looked at in one go; there never are as many.
CHANGES_MAX = 10_000
#: Beyond ``stale_after_s``: when every unit that is there has been heard of.
KNOWS_WALL_S = 2.0


class People:
    """The picture in memory, and the transactions that change it. Blocking methods are to be called in a thread."""

    def __init__(self, plant: Plant, store: Store, clock: Clock, latest: Latest, book: CommandBook) -> None:
        self._plant, self._store, self._clock, self._book = plant, store, clock, book
        self._latest = latest
        self._last_ruling = self._done = 0
        self._ended: list[AutonomyChange] = []
        # A new process knows no state of any unit yet: what stops ask of those at work waits until it does.
        self._knows_from_ns = clock.wall_ns() + round((plant.stale_after_s + KNOWS_WALL_S) * 1e9)
        self._news = asyncio.Event()
        self.words: dict[int, CommandRuling] = {}
        self.autonomy = Autonomy(0, {}, {})

    def begin(self, still_open: Sequence[Command]) -> None:
        """What was said before; blocking."""
        keys = [c.call.key for c in still_open if c.waits or c.status is S.UNKNOWN]
        with self._store.read() as session:
            self._last_ruling = session.scalar(select(func.max(CommandRuling.id))) or 0
            for start in range(0, len(keys), 500):
                for row in rulings(session, self._plant.id, keys[start : start + 500]):
                    self.words[row.command] = row
            self._ended = [
                change
                for change in autonomy_changes(session, self._plant.id, after=0, limit=CHANGES_MAX)
                if ends_stop(change)
            ]
        self.look()

    def look(self) -> list[Command]:
        """Take in what is new; returns the commands that stops and their ends ask for. Blocking."""
        with self._store.read() as session:
            fresh = rulings_after(session, self._plant.id, self._last_ruling)
            if autonomy_version(session, self._plant.id) != self.autonomy.version or not self.autonomy.units:
                self.autonomy = load_autonomy(session, self._plant)
        for row in fresh:
            self.words[row.command] = row
            self._last_ruling = row.id
        if self._clock.wall_ns() < self._knows_from_ns:
            return []
        if self.autonomy.version > self._done:
            return self._carry_out()
        return self._let_go_on() if self._ended else []

    def poke(self) -> None:
        """Somebody said something: look at once."""
        self._news.set()

    async def news(self, within_wall_s: float) -> None:
        """Until somebody pokes, but no longer than that."""
        await happens(self._news, within_wall_s)
        self._news.clear()

    def word(self, key: int, *wanted: Word) -> CommandRuling | None:
        """A person's word on the command, once, if it is one of those that are wanted now."""
        row = self.words.get(key)
        if row is None or row.ruling not in wanted:
            return None
        return self.words.pop(key)

    def _carry_out(self) -> list[Command]:
        """Enter what stops ask of units at work, and their ends of units held by them: once, whoever dies in between."""
        entered = []
        with self._store.begin() as session:
            done = int(get_meta(session, self._plant.id, CHANGES) or 0)
            changes = autonomy_changes(session, self._plant.id, after=done, limit=CHANGES_MAX)
            for change in reversed(changes):
                entered += self._enter(session, change)
            set_meta(session, self._plant.id, CHANGES, str(self.autonomy.version))
        self._done = self.autonomy.version
        self._ended += [change for change in changes if ends_stop(change)]
        return entered

    def _let_go_on(self) -> list[Command]:
        """A unit that was silent when a stop ended goes on as soon as it is heard of again."""
        self._ended = [change for change in self._ended if self._stands(change)]
        if not any(self._may_go_on(change) for change in self._ended):
            return []
        with self._store.begin() as session:
            return [command for change in self._ended for command in self._enter(session, change)]

    def _may_go_on(self, ended: AutonomyChange) -> bool:
        """A unit is as the stop left it, perhaps for another reason: only the store knows."""
        return bool(after_stop(self._plant, self._latest, ended, lambda unit: "stop"))

    def _enter(self, session: Session, change: AutonomyChange) -> list[Command]:
        """What it asks for, as commands; those that were entered before are left out."""
        proposed = [
            own_proposal(self._plant.id, change, asked, self._clock) for asked in self._asked(session, change)
        ]
        return [found for p in proposed if (found := self._book.add(session, p)) is not None]

    def _stands(self, change: AutonomyChange) -> bool:
        """About a stop, and not overtaken by a later change."""
        fact = self.autonomy.facts.get((change.scope, Kind(change.kind)))
        return change.kind == Kind.STOPPED and fact is not None and fact.number == change.id

    def _asked(self, session: Session, change: AutonomyChange) -> list[Asked]:
        if not self._stands(change):
            return []
        return after_stop(self._plant, self._latest, change, lambda unit: self._newest(session, unit))

    def _newest(self, session: Session, unit: str) -> str:
        """The decision of the unit's newest command that a stop or its end asked for."""
        mine = select(CommandRow.decision).where(
            CommandRow.plant == self._plant.id,
            CommandRow.unit == unit,
            CommandRow.decision.in_(("stop", "resume")),
        )
        return session.scalar(mine.order_by(CommandRow.key.desc()).limit(1)) or ""

    # --- the brain steps down

    def missed(
        self, command: Command, status: CommandStatus, detail: str, samples: Samples
    ) -> tuple[Command, bool]:
        """A command of the brain's ends without proof; True where its area goes a rung down with that. Blocking."""
        area = self._plant.unit_of[command.call.unit].area
        now_ns = self._clock.now_ns()
        with self._store.begin() as session:
            ended = self._book.take(session, command, status, detail, samples=samples)
            kept = json.loads(get_meta(session, self._plant.id, FAILURES + area) or "[]")
            failures = [*recent(kept, now_ns, self._plant.ladder), now_ns]
            down = too_many(failures, self._plant.ladder)
            if down:
                note = f"failed_confirmations: {len(failures)}"
                down = step_down(session, self._plant, area, self._signed(note)) is not None
                failures = []
            set_meta(session, self._plant.id, FAILURES + area, json.dumps(failures))
        return ended, down

    def stale(self, area: str, share: float) -> bool:
        """The area's data are stale: a rung down; True unless it is on the lowest. Blocking."""
        with self._store.begin() as session:
            note = f"stale_data: {share:.0%}"
            return step_down(session, self._plant, area, self._signed(note)) is not None

    def _signed(self, note: str) -> Signed:
        return Signed(BRAIN, self._clock.now_ns(), note, STAGE)
