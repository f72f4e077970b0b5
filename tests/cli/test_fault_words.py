"""`zhongshu twin fault`: every kind takes its own words, and says in English how they are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zhongshu.cli import faults
from zhongshu.twin.faults import KINDS


def test_the_list_names_every_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert faults.strike(tmp_path, "list", []) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(KINDS)


@pytest.mark.parametrize(
    ("kind", "words", "said"),
    [
        ("nonsense", ["weld-01"], "fault list"),
        ("slow", ["weld-01", "abc"], "1 to 100"),
        ("slow", ["weld-01", "2", "3"], "UNIT"),
        ("local", ["weld-01", "5"], "UNIT"),
        ("breakdown", [], "MACHINE"),
    ],
)
def test_wrong_words_never_reach_the_twin(kind: str, words: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=said):
        faults.strike(tmp_path, kind, words)


@pytest.mark.parametrize(
    ("kind", "words", "asked"),
    [
        ("slow", ["weld-01"], ("weld-01", None)),
        ("drift", ["weld-01/current", "-0.5"], ("weld-01/current", -0.5)),
        ("clear", [], ("", None)),
    ],
)
def test_right_words_reach_it(
    kind: str,
    words: list[str],
    asked: tuple[str, float | None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[dict[str, Any]] = []

    def ask(data: Path, request: dict[str, Any]) -> dict[str, Any]:
        heard.append(request)
        return {"ok": True}

    monkeypatch.setattr(faults, "ask", ask)
    assert faults.strike(tmp_path, kind, words) == 0
    assert (heard[0]["target"], heard[0]["value"]) == asked


def test_a_refusal_of_the_twin_is_said_in_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {
        "ok": False,
        "key": "control.target",
        "values": {"what": "unit", "target": "zz"},
        "message": "没有",
    }
    monkeypatch.setattr(faults, "ask", lambda data, request: answer)
    with pytest.raises(SystemExit, match="There is no unit zz"):
        faults.strike(tmp_path, "local", ["zz"])
