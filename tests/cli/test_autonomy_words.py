"""`zhongshu autonomy`: what a person types holds in the store, under a name; what is wrong is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.typed import MINIMAL
from zhongshu.cli.attach import note_running
from zhongshu.cli.autonomy import Typed, autonomy
from zhongshu.kernel.clock import wall_clock
from zhongshu.kernel.config import DataDir
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Command


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory in which a brain of the smallest plant has run."""
    note_running(tmp_path, "minimal", MINIMAL)
    return tmp_path


def typed(data: Path, *words: str, by: str = "Li", then: str = "finish", note: str = "") -> None:
    autonomy(data, Typed(words[0], words[1:], by, note, then))


def test_level_take_over_and_stop_are_shown(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed(data, "show")
    assert capsys.readouterr().out.split() == ["shop", "act"]
    typed(data, "level", "shop", "approve")
    typed(data, "take-over", "press-1", by="Wang")
    typed(data, "stop", then="hold")
    out = capsys.readouterr().out
    assert "stopped by Li (hold)" in out
    assert "approve" in out
    assert "press-1      taken over by Wang" in out
    typed(data, "hand-back", "press-1")
    typed(data, "resume")
    assert "by" not in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "by", "told"),
    [
        (("level", "shop", "fly"), "Li", "observe, advise, approve, act"),
        (("level", "attic", "act"), "Li", "shop"),
        (("level", "shop", "act"), "Li", "already"),
        (("level", "shop", "advise"), "", "name"),
        (("level", "shop", "advise"), "brain", "name"),
        (("hand-back", "press-1"), "Li", "nobody has taken over"),
        (("take-over",), "Li", "either a unit or an area"),
        (("resume",), "Li", "not stopped"),
        (("approve", "x"), "Li", "numbers of commands"),
        (("approve", "77"), "Li", "no command 77"),
        (("dance",), "Li", "take-over"),
    ],
)
def test_what_is_wrong_is_told(data: Path, words: tuple[str, ...], by: str, told: str) -> None:
    with pytest.raises(SystemExit, match=told):
        typed(data, *words, by=by)


def test_what_waits_is_listed_and_approved_once(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed(data, "show")
    store = Store(DataDir(data).store_url)
    with store.begin() as session:
        now = wall_clock().now_ns()
        waits = {"status": "proposed", "waits": True, "created_ns": now}
        session.add(Command(plant="minimal", proposal="p", unit="press-1", verb="START_JOB", **waits))
    store.close()
    typed(data, "approve", "1")
    assert "START_JOB press-1: waits for approval" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="Li has said approve"):
        typed(data, "reject", "1", by="Wang")
