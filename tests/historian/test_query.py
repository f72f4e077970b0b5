"""Every answer against brute force, wherever the rows are: in memory, in files, merged, or in buckets."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.historian.feed import NS, START_NS, Memory, Row, batch_of
from zhongshu.historian.compactor import Compactor, Keep
from zhongshu.historian.query import History, Offline, QueryError
from zhongshu.kernel.bus import Message
from zhongshu.kernel.clock import VirtualClock
from zhongshu.kernel.wire import encode_event
from zhongshu.model.messages import Event, GapRecorded, LinkChanged


def in_memory(memory: Memory, rng: np.random.Generator) -> None:
    memory.random(rng, 30)


def in_files(memory: Memory, rng: np.random.Generator) -> None:
    for _ in range(3):
        memory.random(rng, 10)
        memory.writer.flush_all()


def in_both(memory: Memory, rng: np.random.Generator) -> None:
    memory.random(rng, 10)
    memory.writer.flush_all(buckets=False)
    memory.random(rng, 10)


def in_all_three(memory: Memory, rng: np.random.Generator) -> None:
    """Buckets end before the files of rows, and these before the rows in memory."""
    memory.random(rng, 10)
    memory.writer.flush_all()
    memory.random(rng, 10)
    memory.writer.flush_all(buckets=False)
    memory.random(rng, 10)


def merged(memory: Memory, rng: np.random.Generator) -> None:
    for _ in range(17):
        memory.random(rng, 4)
        memory.writer.flush_all()
    before = len(memory.history.points.files.path)
    Compactor(memory.history, VirtualClock(), Keep(0, 0, 0, 0, 0)).round()
    assert len(memory.history.points.files.path) < before / 3
    memory.random(rng, 4)


PLACES: list[Callable[[Memory, np.random.Generator], None]] = [
    in_memory,
    in_files,
    in_both,
    in_all_three,
    merged,
]


@pytest.fixture(params=PLACES, ids=lambda place: place.__name__)
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Memory:
    memory = Memory(tmp_path / "history")
    memory.history.fast.set([0, 1], START_NS - NS)
    request.param(memory, np.random.default_rng(7))
    return memory


def key(row: Row) -> tuple[int, int, str, int]:
    return row[1], row[0], repr(row[2]), row[3]


def test_range_returns_exactly_the_rows(memory: Memory) -> None:
    start, end = START_NS + 50 * NS, START_NS + 250 * NS
    for points in ([0], [1, 3], list(range(5)), [2, 77]):
        answer = memory.history.range(points, start, end)
        found = [tuple(row.values()) for row in answer.to_pylist()]
        expected = [r for r in memory.rows if r[0] in points and start <= r[1] <= end]
        assert sorted(map(key, found)) == sorted(map(key, expected))  # type: ignore[arg-type]
        assert [r[1] for r in found] == sorted(r[1] for r in found)
    assert memory.history.range([0, 1], start, end, limit=7).num_rows == 7


def test_count_counts_every_row_once(memory: Memory) -> None:
    assert memory.history.count() == len(memory.rows)
    assert memory.history.count([2]) == sum(r[0] == 2 for r in memory.rows)
    assert memory.history.count(None, START_NS, START_NS + 9 * NS) == sum(
        r[1] <= START_NS + 9 * NS for r in memory.rows
    )


@pytest.mark.parametrize("points", [[0, 1], [0, 4]])
@pytest.mark.parametrize("buckets", [1, 3, 40, 300, 3000])
def test_trend_is_what_the_rows_say(memory: Memory, points: list[int], buckets: int) -> None:
    start, end = START_NS + 7 * NS // 2, START_NS + 389 * NS
    answer = memory.history.trend(points, start, end, buckets)
    width, origin = (int(answer.schema.metadata[name]) for name in (b"width_ns", b"origin_ns"))
    expected: dict[tuple[int, int], list[Row]] = {}
    for row in memory.rows:
        if row[0] in points and start <= row[1] <= end:
            expected.setdefault((row[0], origin + (row[1] - origin) // width * width), []).append(row)
    assert [(r["point"], r["t_ns"]) for r in answer.to_pylist()] == sorted(expected)
    for bucket in answer.to_pylist():
        same_bucket(bucket, expected[bucket["point"], bucket["t_ns"]])


def same_bucket(bucket: dict[str, float], rows: list[Row]) -> None:
    finite = [r[2] for r in rows if math.isfinite(r[2])]
    assert bucket["n"] == len(rows)
    assert bucket["quality"] == max(r[3] & 3 for r in rows)
    assert bucket["low"] == (min(finite) if finite else None)
    assert bucket["high"] == (max(finite) if finite else None)
    assert bucket["mean"] == (pytest.approx(sum(finite) / len(finite)) if finite else None)
    for name, t_ns in (("first", min(r[1] for r in rows)), ("last", max(r[1] for r in rows))):
        assert repr(bucket[name]) in {repr(r[2]) for r in rows if r[1] == t_ns}


def test_coarse_trends_come_from_buckets(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "history")
    in_files(memory, np.random.default_rng(1))
    for path in memory.history.points.files.path:
        if memory.history.points.files.t_low.min() > 0:
            assert path
    answer = memory.history.trend([0, 1], START_NS, START_NS + 400 * NS, 4)
    assert int(answer.schema.metadata[b"width_ns"]) % (60 * NS) == 0


def test_latest_is_the_newest_row_of_each_point(memory: Memory) -> None:
    answer = memory.history.latest([0, 1, 2, 99])
    assert answer["point"].to_pylist() == [0, 1, 2]
    for row in answer.to_pylist():
        mine = [r for r in memory.rows if r[0] == row["point"]]
        assert row["t_ns"] == max(r[1] for r in mine)
        assert repr(row["value"]) in {repr(r[2]) for r in mine if r[1] == row["t_ns"]}
    assert memory.history.latest()["point"].to_pylist() == sorted({r[0] for r in memory.rows})


def test_files_alone_answer_when_nothing_runs(memory: Memory) -> None:
    memory.writer.flush_all()
    start, end = START_NS, START_NS + 400 * NS
    offline, online = Offline(memory.directory), memory.history
    for buckets in (3, 100):
        answers = [h.trend([0, 2], start, end, buckets).to_pylist() for h in (offline, online)]
        assert repr(answers[0]) == repr(answers[1])  # NaN among them
    assert offline.count() == len(memory.rows)
    with pytest.raises(QueryError, match="holds no history"):
        Offline(memory.directory / "elsewhere")


def test_files_alone_do_not_trust_buckets_that_lag_behind(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "history")
    in_files(memory, np.random.default_rng(3))
    memory.random(np.random.default_rng(4), 5)
    memory.writer.flush_all(buckets=False)  # and then the process was killed
    answer = Offline(memory.directory).trend([0, 1, 2, 3, 4], START_NS, START_NS + 400 * NS, 2)
    assert sum(answer["n"].to_pylist()) == len(memory.rows)


def test_merging_keeps_buckets_whole_and_rows_as_they_are(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "history")
    merged(memory, np.random.default_rng(5))
    for level in memory.history.levels[1:]:
        files = level.table.files
        assert files.rows.min() <= 5 * 8 * 2
    assert memory.history.count() == len(memory.rows)


def test_no_answer_is_short_or_doubled_while_rows_move_from_memory_to_files_and_are_merged(
    tmp_path: Path,
) -> None:
    memory, rng = Memory(tmp_path / "history"), np.random.default_rng(11)
    compactor, stop, wrong = (
        Compactor(memory.history, VirtualClock(), Keep(0, 0, 0, 0, 0)),
        threading.Event(),
        [],
    )
    start, end = START_NS - 120 * NS, START_NS + 1000 * NS

    def ask() -> None:
        while not stop.is_set():
            at_least = len(memory.rows) - 20  # the newest message may not be visible yet
            rows = memory.history.count()
            in_buckets = sum(memory.history.trend(list(range(5)), start, end, 3)["n"].to_pylist())
            at_most = len(memory.rows)
            if not at_least <= rows <= at_most or not at_least <= in_buckets <= at_most:
                wrong.append((at_least, rows, in_buckets, at_most))

    def add() -> None:
        rows = [(int(p), START_NS + int(t) * NS, 1.0, 0) for p, t in rng.integers(0, [5, 900], (20, 2))]
        memory.rows += rows  # before it is visible: an upper bound at any moment
        memory.seq += 1
        memory.tail.append(memory.seq, batch_of(rows, memory.seq))

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    for turn in range(60):
        add()
        memory.writer.flush_all(buckets=turn % 3 == 0)
        if turn % 10 == 9:
            compactor.round()
    stop.set()
    for thread in asking:
        thread.join()
    assert wrong == []
    assert memory.history.count() == len(memory.rows)


def test_old_files_go_and_new_ones_stay(tmp_path: Path) -> None:
    memory, day = Memory(tmp_path / "history"), 86_400 * NS
    for age in (100, 50, 1):
        memory.add([(0, START_NS - age * day, float(age), 0)])
        memory.writer.flush_all()
    Compactor(memory.history, VirtualClock(START_NS), Keep(60, 0, 10, 60, 0)).round()
    assert memory.history.latest([0])["value"].to_pylist() == [1.0]
    assert memory.history.count() == 2
    assert [level.table.files.rows.sum() for level in memory.history.levels] == [0, 2, 3]
    removed = memory.history.points.vacuum(0)
    assert removed >= 1
    assert memory.history.count() == 2


def test_bad_questions_are_refused_with_a_reason(tmp_path: Path) -> None:
    history: History = Memory(tmp_path / "history").history
    for question, words in (
        (lambda: history.range([], 0, 1), "at least one"),
        (lambda: history.range([-1], 0, 1), "point id"),
        (lambda: history.range([1], 5, 1), "before the start"),
        (lambda: history.range([1], 0, 1, limit=0), "limit must be"),
        (lambda: history.trend([1], 0, 1, 10**6), "buckets must be"),
        (lambda: history.range([1], 0.5, 1), "times in ns"),  # type: ignore[arg-type]
    ):
        with pytest.raises(QueryError, match=words):
            question()
    assert history.range([1], 0, 10).num_rows == 0
    assert history.trend([1], 0, 10).num_rows == 0
    assert history.latest([1]).num_rows == 0


def test_events_from_memory_and_files(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "history")
    told: list[Event] = []
    for i in range(12):
        unit = f"u{i % 3}"
        event: Event = (
            LinkChanged("p", "sense", START_NS + i, "c0", unit, True, "x")
            if i % 2
            else GapRecorded("p", "sense", START_NS + i, f"g{i}", "c0", unit, (1, 2), 5, 6, 7, "cause 'x'")
        )
        told.append(event)
        message = Message(f"zs.p.events.{type(event).__name__}", encode_event(event), i + 1)
        assert memory.events.append(message) == event
        if i == 7:
            memory.writer.flush_all()
    answer = memory.history.events()
    assert answer["seq"].to_pylist() == list(range(12, 0, -1))
    gaps = memory.history.events("GapRecorded", START_NS + 2, START_NS + 8, "u2")
    assert [json.loads(text)["gap"] for text in gaps["payload"].to_pylist()] == ["g8", "g2"]
    assert memory.history.events(limit=3).num_rows == 3
    assert memory.events.append(Message("zs.p.events.GapRecorded", b"{", 99)) is None
    assert memory.events.malformed == 1
