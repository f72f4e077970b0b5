"""A bus for tests that can be out of reach, and what was published on it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zhongshu.kernel.bus import BusError
from zhongshu.kernel.memory_bus import MemoryBus
from zhongshu.kernel.wire import decode_batch, decode_event
from zhongshu.model import subjects
from zhongshu.model.batch import Batch
from zhongshu.model.messages import Event, GapRecorded, LinkChanged
from zhongshu.model.numbering import SNAPSHOT, SUPPRESSED, decode_samples


class FlakyBus(MemoryBus):
    """Out of reach while ``down``; ``doubtful`` stores what comes and then fails, once."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False
        self.doubtful = False

    async def publish(
        self, subject: str, payload: bytes, *, msg_id: str = "", headers: Mapping[str, str] | None = None
    ) -> int:
        if self.down:
            raise BusError("out of reach")
        seq = await super().publish(subject, payload, msg_id=msg_id, headers=headers)
        if self.doubtful:
            self.doubtful = False
            raise BusError("no answer")
        return seq

    async def batches(self, *, snapshots: bool = False) -> list[Batch]:
        """Every Batch stored, in order."""
        kept = self._kept[subjects.POINTS].above(0, 10**9)
        return [decode_batch(m.payload) for m in kept if snapshots or SNAPSHOT not in m.headers]

    async def rows(self) -> list[tuple[int, int, float, int]]:
        """Every row stored, in order: point, t_ns, value, quality."""
        found = []
        for batch in await self.batches():
            columns = (batch.point, batch.t_ns, batch.value, batch.quality)
            found += list(zip(*(np.asarray(c).tolist() for c in columns), strict=True))
        return found

    async def kept_back(self) -> int:
        """Samples that deadbands kept back, as the messages say."""
        kept = self._kept[subjects.POINTS].above(0, 10**9)
        return sum(len(decode_samples(m.headers[SUPPRESSED])[0]) for m in kept if SUPPRESSED in m.headers)

    async def told(self) -> list[Event]:
        """Every event stored, in order."""
        return [decode_event(m.subject, m.payload) for m in self._kept[subjects.EVENTS].above(0, 10**9)]

    async def gaps(self) -> list[GapRecorded]:
        """The ledger: of each gap the newest word."""
        return list({e.gap: e for e in await self.told() if isinstance(e, GapRecorded)}.values())

    async def links(self) -> list[tuple[str, bool, str]]:
        """Link changes: unit (empty: the connection), up, reason."""
        return [(e.unit, e.up, e.reason) for e in await self.told() if isinstance(e, LinkChanged)]
