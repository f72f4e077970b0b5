"""The historian: Batches and events from the bus become queryable at once and durable every few seconds, each once."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

from deltalake.exceptions import DeltaError
from sqlalchemy.exc import SQLAlchemyError

from zhongshu.historian.audit import Auditor
from zhongshu.historian.compactor import Compactor, Keep
from zhongshu.historian.event_log import EventLog
from zhongshu.historian.holes import Holes
from zhongshu.historian.intake import Intake
from zhongshu.historian.ledger import record_gaps
from zhongshu.historian.query import History
from zhongshu.historian.service import Service
from zhongshu.historian.tail import Tail
from zhongshu.historian.writer import Writer
from zhongshu.kernel.bus import Bus, BusError
from zhongshu.kernel.clock import NS, Clock
from zhongshu.kernel.store import Store
from zhongshu.model.messages import GapRecorded
from zhongshu.model.numbering import numbered
from zhongshu.model.plant import Plant

log = logging.getLogger(__name__)

AUDIT_WALL_S = 5.0
#: Points that are sampled faster than this in plant time also get one-second buckets.
FAST_HZ = 2.0


class Historian:
    """The memory of a plant in ``directory``. ``run`` goes on until cancelled; then everything read is on disk.

    ``flush_wall_s`` and ``flush_rows`` say when rows leave memory for a file, ``keep`` how long files are kept.
    """

    def __init__(
        self,
        plant: Plant,
        bus: Bus,
        directory: Path,
        clock: Clock,
        store: Store | None = None,
        *,
        flush_wall_s: float = 15.0,
        flush_rows: int = 500_000,
        keep: Keep | None = None,
    ) -> None:
        self._plant, self._bus, self._clock, self._store = plant, bus, clock, store
        numbering = numbered(plant)
        tail, events = Tail(), EventLog()
        self.history = History(directory, tail=tail, events=events)
        holes = Holes([connection.id for connection in plant.connections])
        self.auditor = Auditor(plant, numbering, self.history, holes, clock, directory / "audit.json")
        self._writer = Writer(
            self.history, tail, events, clock, flush_wall_s=flush_wall_s, flush_rows=flush_rows
        )
        self._intake = Intake(
            plant, bus, clock, numbering, tail, events, self.history, self.auditor, holes, self._writer
        )
        self._compactor = Compactor(self.history, clock, keep or Keep())
        self._service = Service(plant, bus, self.history, self._intake.latest)
        self._own_gaps: list[GapRecorded] = []
        self.audit_error = ""

    async def run(self) -> None:
        """Read, write, merge, audit and answer until cancelled."""
        await asyncio.to_thread(self._open)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._intake.points())
                tasks.create_task(self._intake.events())
                tasks.create_task(self._writer.run())
                tasks.create_task(self._compactor.run())
                tasks.create_task(self._audit())
                tasks.create_task(self._service.run())
        finally:
            await asyncio.shield(asyncio.to_thread(self._leave))

    def figures(self) -> dict[str, Any]:
        """For ``kernel.health``."""
        return {
            **self._intake.figures(),
            **self._writer.figures(),
            **self._compactor.figures(),
            **self.auditor.figures(),
            "audit_error": self.audit_error,
        }

    def _open(self) -> None:
        """See where the last process stopped; whatever it had not committed is replayed from the bus."""
        width = self._clock.to_plant_ns(NS) - self._clock.to_plant_ns(
            0
        )  # plant time in one second of wall time
        fast = [p.id for p in self._plant.points if p.rate_hz * NS / width > FAST_HZ]
        self.history.fast.set(fast, self._clock.now_ns())
        self.auditor.load()
        self._writer.open()
        for payload in self.history.events("GapRecorded", start_ns=self.auditor.oldest_ns, limit=100_000)[
            "payload"
        ]:
            self._intake.gap(payload.as_py())

    async def _audit(self) -> None:
        while True:
            await self._clock.sleep_wall(AUDIT_WALL_S)
            try:
                self._own_gaps += await asyncio.to_thread(self.auditor.audit, self._intake.counter_ns)
                await asyncio.to_thread(self.auditor.save)
                if self._own_gaps:
                    await record_gaps(self._bus, self._store, self._own_gaps, self._clock)
                    self._own_gaps = []
                self.audit_error = ""
            except (OSError, DeltaError, BusError, SQLAlchemyError, ValueError) as error:
                if not self.audit_error:
                    log.error("the audit has to wait: %s", error)
                self.audit_error = str(error)

    def _leave(self) -> None:
        """Everything that was read goes to disk; what does not, the bus still has."""
        try:
            self._writer.flush_all()
            self.auditor.save()
        except (DeltaError, OSError) as error:
            log.warning("the historian leaves rows to the bus: %s", error)
        self.history.close()
