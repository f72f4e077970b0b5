"""One connection inside sense: its connector puts reads in here, flushes become parcels for the bus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zhongshu.kernel.clock import Clock
from zhongshu.kernel.ports import Reads
from zhongshu.model.batch import Batch, Int64s
from zhongshu.model.messages import TextReported
from zhongshu.model.numbering import SNAPSHOT, Mask, countable
from zhongshu.model.plant import Connection, Plant
from zhongshu.sense.book import Book
from zhongshu.sense.checkpoint import snapshot
from zhongshu.sense.points import Points, Rows
from zhongshu.sense.sender import Parcel, Sender
from zhongshu.sense.vigil import SETTLE_WALL_S, Vigil

#: Samples that go into one Batch at most, and at which a flush does not wait for its time.
FLUSH_SAMPLES = 4096
#: Samples of one connection that may wait for the bus to be there for the first time.
EARLY_SAMPLES = 100_000
#: After a connection came back, old source times are no sign of a wrong clock for so long.
OLD_VALUES_WALL_S = 5.0
SNAPSHOT_WALL_S = 30.0
#: A value is said again only while the bus keeps up.
BUSY_PARCELS = 2


@dataclass(slots=True)
class Counts:
    """What became of a connection's samples since the process started."""

    received: int = 0
    published: int = 0
    kept_back: int = 0
    doubled: int = 0
    unknown: int = 0
    dropped: int = 0
    restated: int = 0


class Lane:
    """Implements ``kernel.ports.Sink`` for one connector. Everything runs on the event loop and nothing blocks."""

    def __init__(
        self,
        plant: Plant,
        connection: Connection,
        points: Points,
        clock: Clock,
        book: Book,
        wake: Callable[[], None],
    ) -> None:
        self.connection = connection.id
        self.counts = Counts()
        self._plant, self._points, self._clock, self._book, self._wake = plant, points, clock, book, wake
        self._unit_of = {unit.id: index for index, unit in enumerate(plant.units)}
        mine = np.array([unit.connection == connection.id for unit in plant.units], np.bool_)
        self.vigil = Vigil(mine, plant.stale_after_s, clock.wall_ns())
        self.sender: Sender | None = None  # set once the bus is there and the past is known
        self._reads: list[Reads] = []
        self._pending = 0
        self._snapshot_wall_ns = 0

    # What the connector calls.

    def reads(self, reads: Reads) -> None:
        """Readings, in the order in which each point's source made them."""
        if len(reads.point) == 0:
            return
        self._reads.append(reads)
        self._pending += len(reads.point)
        self.counts.received += len(reads.point)
        if self.sender is None:
            self._forget_early()
        if self._pending >= FLUSH_SAMPLES:
            self._wake()

    def connected(self) -> None:
        """The connection stands and every subscription is made."""
        self._turn(up=True, reason="")

    def lost(self, reason: str) -> None:
        """The connection is gone; everything it brought turns Bad."""
        self._turn(up=False, reason=reason)

    def alive(self, units: Sequence[str] | None = None) -> None:
        """Proof of life without a value."""
        mask = self.vigil.mine if units is None else self._mask(units)
        self.vigil.alive(mask, self._clock.wall_ns())

    def unit_up(self, unit: str) -> None:
        """A device behind the connection is there."""
        if (index := self._index(unit)) is not None:
            self.vigil.unit(index, True, self._clock.wall_ns())

    def unit_lost(self, unit: str, reason: str) -> None:
        """A device behind the connection is gone."""
        if (index := self._index(unit)) is not None:
            self.flush()  # what it said before must not turn Good again what turns Bad now
            self.vigil.unit(index, False, self._clock.wall_ns())
            self.look(reason)

    def missed(
        self,
        cause: str,
        *,
        units: Sequence[str] = (),
        points: Sequence[int] = (),
        start_ns: int,
        end_ns: int,
        missing: int,
    ) -> None:
        """The protocol itself shows that samples are missing."""
        indexes = frozenset(i for u in units if (i := self._index(u)) is not None)
        ids = [p for p in points if 0 <= p < len(self._points.unit_of)]
        indexes |= frozenset(int(u) for u in self._points.unit_of[ids] if u >= 0)
        self._book.missed(cause, indexes, points, start_ns, end_ns, missing)

    def text(self, point: int, t_ns: int, text: str) -> None:
        """Text from a device goes on as an event."""
        now = t_ns or self._clock.now_ns()
        self._book.note(TextReported(self._plant.id, self.connection, now, point, text))

    # What sense calls.

    @property
    def waiting(self) -> int:
        """Samples not shaped yet."""
        return self._pending

    def flush(self) -> None:
        """Shape what came in and queue it for the bus, at most FLUSH_SAMPLES a parcel."""
        if self.sender is None or not self._reads:
            return
        reads, self._reads, self._pending = self._reads, [], 0
        rows = _joined(reads)
        arrived_ns = np.repeat([r.received_ns for r in reads], [len(r.point) for r in reads]).astype(np.int64)
        for start in range(0, len(rows), FLUSH_SAMPLES):
            self._flush(rows, arrived_ns, slice(start, start + FLUSH_SAMPLES))

    def look(self, reason: str = "") -> None:
        """Turn the points of silent and lost units Bad, say values again where units are back."""
        if self.sender is None:
            return
        wall, now = self._clock.wall_ns(), self._clock.now_ns()
        turned = self.vigil.look(wall)
        if turned.down.any():
            self._say(self._points.state_bad(turned.down, now))
            self._book.units_down(turned, reason, link=bool(self.vigil.connected))
        if turned.up.any():
            self._book.units_up(turned.up)
        settled = self.vigil.settled(wall)
        if settled.any() and len(self.sender) < BUSY_PARCELS:
            self._say(
                self._points.restate(settled, self._clock.to_plant_ns(wall - round(SETTLE_WALL_S * 1e9)))
            )
        self._book.judge(self.vigil.steady(wall, self._book.patience_s))
        if wall - self._snapshot_wall_ns > SNAPSHOT_WALL_S * 1e9 and len(self.sender) == 0:
            self._snapshot_wall_ns = wall
            self.sender.put(snapshot(self._points, self._book, self.vigil.mine, wall))

    def confirmed(self, batch: Batch, parcel: Parcel, seq: int) -> None:
        """The bus has it on disk."""
        if SNAPSHOT in parcel.headers:
            if self.sender is not None:
                self.sender.snapshot_seq = seq
            return
        self.counts.published += len(batch)
        self._book.confirmed(batch, parcel.kept_point, parcel.kept_t_ns)

    def dropped(self, parcel: Parcel) -> None:
        """It did not fit any more: counted, in the ledger, and its points owe their values."""
        if SNAPSHOT in parcel.headers:
            return
        self.counts.dropped += parcel.size
        self._points.owe(parcel.rows.point)
        self._book.dropped(parcel.rows, parcel.kept_t_ns)

    def figures(self) -> dict[str, Any]:
        """For the health of the process."""
        vigil, sender = self.vigil, self.sender
        return {
            "connected": vigil.connected is True,
            "reason": vigil.reason,
            "units": int(vigil.mine.sum()),
            "units_up": int(vigil.is_up.sum()),
            "queued": len(sender) if sender else 0,
            "bus_error": sender.error if sender else "",
            **{name: getattr(self.counts, name) for name in Counts.__slots__},
            **self._book.figures(),
        }

    def _forget_early(self) -> None:
        """Before the bus is there for the first time, only so much can wait; what goes is found by its numbers."""
        while self._pending > EARLY_SAMPLES and len(self._reads) > 1:
            oldest = len(self._reads.pop(0).point)
            self._pending -= oldest
            self.counts.dropped += oldest

    def _flush(self, rows: Rows, arrived_ns: Int64s, part: slice) -> None:
        cut = Rows(
            rows.point[part],
            rows.t_ns[part],
            rows.value[part],
            rows.quality[part],
            int(arrived_ns[part].max()),
        )
        settled = self.vigil.settled(self._clock.wall_ns(), OLD_VALUES_WALL_S)
        counted = ~self._book.too_early(cut.point, cut.t_ns)
        shaped = self._points.shape(cut.where(counted), arrived_ns[part][counted], self.vigil.mine, settled)
        self.counts.doubled += shaped.doubled
        self.counts.unknown += shaped.unknown
        self.counts.kept_back += len(shaped.kept_point)
        heard = np.zeros(len(self.vigil.mine), np.bool_)
        known = cut.point[(cut.point >= 0) & (cut.point < len(self._points.unit_of))]
        heard[self._points.unit_of[known]] = True
        self.vigil.heard(heard & self.vigil.mine, cut.received_ns)
        self._put(Parcel(shaped.rows, shaped.kept_point, shaped.kept_t_ns))

    def _say(self, rows: Rows) -> None:
        """The brain's own statements go the same way as samples, behind what was said before."""
        self.counts.restated += len(rows)
        for start in range(0, len(rows), FLUSH_SAMPLES):
            part = slice(start, start + FLUSH_SAMPLES)
            cut = Rows(
                rows.point[part], rows.t_ns[part], rows.value[part], rows.quality[part], rows.received_ns
            )
            self._put(Parcel(cut, np.empty(0, np.int32), np.empty(0, np.int64)))

    def _put(self, parcel: Parcel) -> None:
        if parcel.size and self.sender is not None:
            self._book.seen(parcel.rows, countable(parcel.rows.quality))
            self.sender.put(parcel)

    def _turn(self, *, up: bool, reason: str) -> None:
        self.flush()
        if self.vigil.connection(up, reason, self._clock.wall_ns()):
            self._book.link(up, reason)
            if not up:
                self.look(reason)

    def _index(self, unit: str) -> int | None:
        index = self._unit_of.get(unit)
        return index if index is not None and self.vigil.mine[index] else None

    def _mask(self, units: Sequence[str]) -> Mask:
        mask = np.zeros(len(self.vigil.mine), np.bool_)
        mask[[i for unit in units if (i := self._index(unit)) is not None]] = True
        return mask


def _joined(reads: list[Reads]) -> Rows:
    return Rows(
        np.concatenate([r.point for r in reads]),
        np.concatenate([r.t_ns for r in reads]),
        np.concatenate([r.value for r in reads]),
        np.concatenate([r.quality for r in reads]),
        max(r.received_ns for r in reads),
    )
