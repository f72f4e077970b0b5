"""`zhongshu query` on the files of a plant that stands still: every form, and every way to ask wrongly."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.typed import MINIMAL, refused, typed
from tests.historian.feed import Memory
from zhongshu.cli.attach import note_running
from zhongshu.kernel.clock import NS, ScaledClock, save_clock
from zhongshu.kernel.config import DataDir
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.store import Store

#: Nanoseconds that Python's own times cannot hold, as the brain's own words have them.
BEGIN_NS = int(datetime(2026, 3, 1, 8, tzinfo=UTC).timestamp()) * NS + 123_456_789


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose brain ended long ago, its clock ten times as fast as the wall's; ten values in it."""
    data = DataDir(tmp_path_factory.mktemp("still"))
    store = Store(data.store_url)
    store.migrate()
    plant = assign_ids(load_plant(MINIMAL), store)
    store.close()
    force = next(p for p in plant.unit_of["press-1"].points if p.name == "force")
    memory = Memory(data.history)
    memory.add([(force.id, BEGIN_NS + i * NS, 0.5 + i, 0 if i < 9 else 6) for i in range(10)])
    memory.writer.flush_all()
    note_running(data.path, plant.id, MINIMAL)
    origin_ns = 1_700_000_000 * NS
    save_clock(data.clock_file, ScaledClock(origin_wall_ns=origin_ns, origin_plant_ns=BEGIN_NS, speed=10.0))
    (data.path / "alive").touch()
    os.utime(data.path / "alive", ns=(origin_ns + 2 * NS, origin_ns + 2 * NS))
    return data.path


def test_a_plant_that_stands_still_is_asked_from_where_its_time_stopped(still: Path) -> None:
    read = typed("query", "press-1/force", "--last", "2min", "--data", still)
    assert read.code == 0, read
    lines = read.out.splitlines()
    assert len(lines) == 11
    assert lines[1].split() == ["site/shop/main/press-1/force".replace("site", lines[1].split("/")[0]),
                                "2026-03-01", "08:00:00.123456+00:00", "0.5", "0"]  # fmt: skip
    assert lines[-1].split()[-2:] == ["9.5", "2"]
    assert "no brain runs" in read.err


def test_csv_and_parquet_keep_every_nanosecond(still: Path, tmp_path: Path) -> None:
    csv, parquet = tmp_path / "a.csv", tmp_path / "a.parquet"
    for form, file in (("csv", csv), ("parquet", parquet)):
        assert typed("query", "*/force", "--format", form, "-o", file, "--data", still).code == 0
    assert "08:00:00.123456789" in csv.read_text()
    assert pq.read_table(parquet)["time"].cast("int64")[0].as_py() == BEGIN_NS


def test_times_without_a_zone_are_the_plants_own(still: Path) -> None:
    span = ["--start", "2026-03-01T16:00", "--end", "2026-03-01T16:01"]
    assert len(typed("query", "*/force", *span, "--data", still).out.splitlines()) == 11
    assert (
        typed("query", "*/force", "--start", "0001-01-01", "--end", "9999-12-31", "--data", still).code == 0
    )


def test_nothing_found_says_where_was_looked(still: Path) -> None:
    read = typed("query", "press-2/force", "--data", still)
    assert read.code == 3
    assert "nothing from 2026-03-01" in read.err


def test_a_limit_that_was_reached_is_said(still: Path) -> None:
    assert "only the first 3 rows" in typed("query", "*/force", "--limit", "3", "--data", still).err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--events"),
        (["nonsense"], "a path looks like"),
        (["*/force", "--last", "5 parsecs"], "10min"),
        (["*/force", "--last", "-5min"], "10min"),
        (["*/force", "--start", "yesterday"], "ISO 8601"),
        (["*/force", "--start", "2099-01-01"], "after the end"),
        (["*/force", "--format", "xml"], "parquet"),
        (["*/force", "--format", "parquet"], "--output"),
        (["*/force", "-o", "/nowhere/x"], "cannot be written"),
        (["*/force", "--format", "csv", "-o", "/nowhere/x"], "cannot be written"),
        (["*/force", "--format", "parquet", "-o", "/nowhere/x"], "cannot be written"),
        (["*/force", "--limit", "99999999"], "limit"),
        (["*/force", "--unit", "press-1"], "--events"),
        (["*/force", "--events", "StateChanged"], "leave the paths out"),
        (["--events", "Nonsense"], "StateChanged"),
        (["--events", "StateChanged", "--unit", "zz"], "no unit"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_answered_is_told(words: list[str], said: str, still: Path) -> None:
    assert said in refused("query", *words, "--data", still)


def test_a_directory_without_a_history_is_told(still: Path, tmp_path: Path) -> None:
    for name in ("running.json", "clock.json", "store.db"):
        (tmp_path / name).write_bytes((still / name).read_bytes())
    assert "holds no history" in refused("query", "*/force", "--data", tmp_path)
