"""What sense must know after a restart goes onto the bus beside the samples and comes back from there.

Twice a minute, while nothing is in flight, the last value of every point travels as a Batch of restated rows under the
header SNAPSHOT, with the position of the numbering beside it. Every later Batch names its sequence, so that a new process
finds it from the newest Batch and takes in what was confirmed since: the bus alone holds the truth, and state and samples
cannot disagree.
"""

from __future__ import annotations

import base64
import logging
import zlib
from contextlib import aclosing

import numpy as np

from zhongshu.kernel.bus import Bus, Message
from zhongshu.kernel.wire import WireError, decode_batch
from zhongshu.model import subjects
from zhongshu.model.batch import (
    BAD,
    GOOD,
    QUALITY_MASK,
    RESTATED,
    TIME_RECEIVED,
    Batch,
    Bytes,
    Int32s,
    Int64s,
)
from zhongshu.model.numbering import (
    SNAPSHOT,
    SNAPSHOT_SEQ,
    SUPPRESSED,
    Mask,
    countable,
    decode_samples,
    placed,
)
from zhongshu.sense.book import Book
from zhongshu.sense.judge import Open
from zhongshu.sense.points import ABSENT, NEVER, Points, Rows
from zhongshu.sense.sender import Parcel

log = logging.getLogger(__name__)

NUMBERING = "Zs-Numbering"
#: A header may hold 64 KiB; a position that does not fit is left out, and the next start begins its numbering anew.
HEADER_LIMIT = 60_000
_NONE32, _NONE64 = np.empty(0, np.int32), np.empty(0, np.int64)


def snapshot(points: Points, book: Book, mine: Mask, wall_ns: int) -> Parcel:
    """The last values of the units ``mine`` and their numbering; only while all that was shaped is confirmed."""
    owner = points.unit_of
    ids = np.flatnonzero((owner >= 0) & mine[owner] & (points.quality != ABSENT)).astype(np.int32)
    stated_bad = points.owed[ids] & ((points.quality[ids] & QUALITY_MASK) == BAD)
    quality = np.where(stated_bad, BAD | TIME_RECEIVED, points.device_quality[ids]) | RESTATED
    t_ns = np.where(points.source_ns[ids] == NEVER, 0, points.source_ns[ids])
    headers = {SNAPSHOT: "1"}
    position = _encode(book.state(), book.counter)
    if len(position) <= HEADER_LIMIT:
        headers[NUMBERING] = position
    else:
        log.warning("the numbering's position takes %s bytes and is left out of the snapshot", len(position))
    rows = Rows(ids, t_ns, points.value[ids], quality.astype(np.uint8), wall_ns)
    return Parcel(rows, _NONE32, _NONE64, headers)


async def restore(bus: Bus, plant: str, connection: str, points: Points, book: Book) -> tuple[int, int]:
    """Take in what the bus holds of this connection: (sequence of the snapshot, newest plant time), 0 where nothing.

    Raises BusError while the bus is out of reach.
    """
    subject = subjects.points(plant, connection)
    last = await bus.last(subject)
    if last is None:
        return 0, 0
    seq = last.seq if SNAPSHOT in last.headers else _int(last.headers.get(SNAPSHOT_SEQ, "0"))
    found, newest_ns = 0, 0
    async with aclosing(bus.replay(subjects.POINTS, after=max(0, seq - 1), subject=subject)) as messages:  # type: ignore[type-var]
        async for message in messages:
            newest_ns = max(newest_ns, _take(message, points, book))
            if SNAPSHOT in message.headers:
                found = message.seq
            if message.seq >= last.seq:
                break
    return found, newest_ns


def _take(message: Message, points: Points, book: Book) -> int:
    """One stored message; returns its newest source time."""
    try:
        batch = decode_batch(message.payload)
        kept_point, kept_t_ns = (
            decode_samples(message.headers[SUPPRESSED])
            if SUPPRESSED in message.headers
            else (_NONE32, _NONE64)
        )
    except (WireError, ValueError) as error:
        log.warning("sense: message %s on %s cannot be read: %s", message.seq, message.subject, error)
        return 0
    inside = batch.point < len(points.unit_of)
    if not inside.all():  # points that the plant file no longer has
        batch = _where(batch, inside)
    if SNAPSHOT in message.headers:
        _set(points, batch)
        if NUMBERING in message.headers:
            book.restore(_decode(message.headers[NUMBERING], points.unit_of))
        return 0
    kept = kept_point < len(points.unit_of)
    kept_point, kept_t_ns = kept_point[kept], kept_t_ns[kept]
    _advance(points, batch)
    np.maximum.at(points.source_ns, kept_point, kept_t_ns)
    book.confirmed(batch, kept_point, kept_t_ns)
    real = batch.t_ns[countable(batch.quality)]
    return int(real.max()) if len(real) else 0


def _set(points: Points, batch: Batch) -> None:
    """Rows of a snapshot: ``t_ns`` is the newest source time of each point."""
    ids = batch.point
    points.source_ns[ids] = np.where(batch.t_ns == 0, NEVER, batch.t_ns)
    points.value[ids], points.quality[ids] = batch.value, batch.quality
    points.owed[ids] = (batch.quality & TIME_RECEIVED) != 0
    points.device_quality[ids] = _device_quality(batch.quality)


def _advance(points: Points, batch: Batch) -> None:
    """Rows published since, in their order."""
    ids, stated = batch.point, (batch.quality & RESTATED) != 0
    points.value[ids], points.quality[ids] = batch.value, batch.quality
    bad = stated & ((batch.quality & QUALITY_MASK) == BAD)
    points.owed[ids] = bad
    points.device_quality[ids] = np.where(bad, points.device_quality[ids], _device_quality(batch.quality))
    timed = placed(batch.quality) & ~stated
    np.maximum.at(points.source_ns, ids[timed], batch.t_ns[timed])
    np.maximum.at(points.stated_ns, ids[stated], batch.t_ns[stated])


def _device_quality(quality: Bytes) -> Bytes:
    """What the device itself said; Good under a statement of the brain's own, until the device says it again."""
    low = quality & QUALITY_MASK
    own = ((quality & RESTATED) != 0) & ((quality & TIME_RECEIVED) != 0) & (low == BAD)
    return np.where(own, GOOD, low).astype(np.uint8)


def _encode(state: Open, counter: Int32s) -> str:
    """Units go by the id of their counter point, which an edit of the plant file does not change."""
    parts = (counter[state.unit].astype("<i4"), state.t_ns.astype("<i8"), state.count.astype("<i8"))
    raw = b"".join(part.tobytes() for part in parts)
    return base64.b64encode(zlib.compress(raw, 6)).decode()


def _decode(text: str, unit_of: Int32s) -> Open:
    raw = zlib.decompress(base64.b64decode(text))
    n = len(raw) // 20
    point = np.frombuffer(raw, "<i4", n)
    t_ns: Int64s = np.frombuffer(raw, "<i8", n, offset=4 * n).astype(np.int64)
    count: Int64s = np.frombuffer(raw, "<i8", n, offset=12 * n).astype(np.int64)
    known = (point >= 0) & (point < len(unit_of))
    known[known] = unit_of[point[known]] >= 0
    return Open(unit_of[point[known]], t_ns[known], count[known])


def _where(batch: Batch, mask: Mask) -> Batch:
    columns = (batch.point[mask], batch.t_ns[mask], batch.value[mask], batch.quality[mask])
    return Batch(batch.plant, batch.source, batch.seq, batch.received_ns, *columns)


def _int(text: str) -> int:
    return int(text) if text.isdecimal() else 0
