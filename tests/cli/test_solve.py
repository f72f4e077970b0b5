"""`zhongshu solve`: what it prints and with which code it ends, around an engine that is only played here."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.cli.typed import Read, typed
from zhongshu.decide.scheduling.conflicts.fault import Fault, conflict
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.solution import Placed, Solution

ENGINE = "zhongshu.decide.scheduling.engine"
FT06 = Path(__file__).resolve().parents[1] / "data/scheduling/ft06.jsp"


@dataclass(frozen=True)
class Limits:
    seconds: float
    workers: int
    seed: int
    work_limit: int | None


@dataclass(frozen=True)
class Result:
    solution: Solution | None
    bound: float = float("-inf")
    optimal: bool = False
    time_first_s: float | None = 0.01
    time_s: float = 0.02
    compile_s: float = 0.0
    work: int = 7
    engine: str = "played"
    faults: tuple[Fault, ...] = ()


def one_by_one(problem: Problem) -> Solution:
    """Never two things at once."""
    placed, clock = [], 0
    for index, task in enumerate(problem.tasks):
        end = clock + task.modes[0].duration
        placed.append(Placed(index, 0, clock, end, end))
        clock = end
    return Solution(tuple(placed))


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Limits]]:
    """An engine that answers as it is told; gives back the limits that it was given."""
    monkeypatch.setenv("LANG", "C")
    monkeypatch.delenv("LC_ALL", raising=False)

    def play(make: Callable[[Problem], Solution | None] = one_by_one, **values: Any) -> list[Limits]:
        engine, asked = ModuleType(ENGINE), []

        def solve(problem: Problem, limits: Limits, on_better: object = None) -> Result:
            asked.append(limits)
            return Result(make(problem), **values)

        engine.Limits, engine.solve = Limits, solve  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, ENGINE, engine)
        return asked

    return play


def answer(read: Read) -> dict[str, Any]:
    assert read.out.count("\n") == 1
    return json.loads(read.out)


def test_a_schedule_is_found_checked_and_written(played: Callable[..., list[Limits]], tmp_path: Path) -> None:
    limits = played(bound=47.0)
    out = tmp_path / "out.json"
    words = ("--seconds", "1e5", "--workers", "3", "--seed", "5", "--work-limit", "9", "--json")
    read = typed("solve", FT06, *words, "--solution", out)
    said = answer(read)
    assert read.code == 0 and not read.err
    assert said["feasible"] is True and said["checked"] is True and said["optimal"] is False
    assert said["makespan"] == said["objective"] == said["kpis"]["makespan"] == 197
    assert said["bound"] == 47 and said["gap"] == round(150 / 197, 6)
    assert 0 < said["time_first_s"] <= said["time_s"] + 0.02 and said["compile_s"] == 0
    assert (said["engine"], said["work"], said["seed"], said["tasks"]) == ("played", 7, 5, 36)
    assert (limits[0].workers, limits[0].seed, limits[0].work_limit) == (3, 5, 9)
    tasks = json.loads(out.read_text())["tasks"]
    assert len(tasks) == 36
    assert tasks[0] == {"job": 0, "task": 0, "machine": 2, "start": 0, "end": 1, "mode": 0}


def test_the_time_is_counted_from_the_start_of_the_process(played: Callable[..., list[Limits]]) -> None:
    """The process of these tests is older than the time given: nothing is left for the search, and it is asked anyway."""
    limits = played()
    assert typed("solve", FT06, "--seconds", "0.001").code == 0
    assert limits[0].seconds == 0
    typed("solve", FT06, "--seconds", "1e6")
    assert 9e5 < limits[1].seconds < 1e6


def test_compilation_is_not_counted(played: Callable[..., list[Limits]]) -> None:
    played(compile_s=3.0)
    first = answer(typed("solve", FT06, "--json"))
    played(compile_s=0.0)
    second = answer(typed("solve", FT06, "--json"))
    assert first["compile_s"] == 3 and 2.5 < second["time_s"] - first["time_s"] < 10


def test_people_get_a_table(played: Callable[..., list[Limits]], monkeypatch: pytest.MonkeyPatch) -> None:
    played(bound=197.0, optimal=True)
    said = typed("solve", FT06).out
    for words in ("6 jobs, 36 tasks, 6 units", "checked", "makespan", "197", "optimal"):
        assert words in said
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    said = typed("solve", FT06).out
    assert "6 个作业" in said and "已证最优" in said and "makespan" not in said


def test_infinite_bounds_are_no_json(played: Callable[..., list[Limits]]) -> None:
    played()
    said = answer(typed("solve", FT06, "--json"))
    assert said["bound"] is None and said["gap"] is None
    assert "–" in typed("solve", FT06).out


def test_a_schedule_that_breaks_a_rule_is_never_shown(
    played: Callable[..., list[Limits]], tmp_path: Path
) -> None:
    def wrong(problem: Problem) -> Solution:
        return Solution(tuple(Placed(i, 0, 0, t.modes[0].duration, 9) for i, t in enumerate(problem.tasks)))

    played(wrong)
    read = typed("solve", FT06, "--json", "--solution", tmp_path / "out.json")
    said = answer(read)
    assert read.code == 3 and said["feasible"] is False and said["checked"] is False
    assert {"unit", "lag_min"} & {v["constraint"] for v in said["violations"]}
    assert not (tmp_path / "out.json").exists() and "please report" in read.err


def test_no_schedule_in_time_is_no_proof(played: Callable[..., list[Limits]]) -> None:
    played(lambda _: None)
    read = typed("solve", FT06, "--json")
    assert read.code == 3 and answer(read)["feasible"] is False and "--seconds" in read.err


def test_the_engine_says_what_conflicts(played: Callable[..., list[Limits]]) -> None:
    fault = conflict(("pin", "lag_max"), "together", what=("the pin of T3", "T3 的固定"))
    played(lambda _: None, faults=(fault,))
    read = typed("solve", FT06, "--json")
    (told,) = answer(read)["conflicts"]
    assert read.code == 1 and told["constraints"] == ["pin", "lag_max"]
    assert "the pin of T3" in read.err and "T3 的固定" in told["zh"]


def written(tmp_path: Path, **more: Any) -> Path:
    value = {
        "units": [{"name": "saw"}],
        "jobs": [{}],
        "tasks": [{"job": 0, "modes": [{"unit": 0, "duration": 4}]}],
    }
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(value | more))
    return path


def test_contradictions_are_named_before_any_search(tmp_path: Path) -> None:
    path = written(tmp_path, pins=[{"task": 0, "start": 3}], jobs=[{"release": 5, "name": "order 7"}])
    read = typed("solve", path, "--json")
    said = answer(read)
    assert read.code == 1 and said["feasible"] is False
    assert set(said["conflicts"][0]["constraints"]) == {"pin", "release"}
    assert "order 7" in read.err and "conflict" in read.err


def test_malformed_problems_are_bad_input(tmp_path: Path) -> None:
    read = typed("solve", written(tmp_path, arcs=[{"before": 0, "after": 0}]))
    assert read.code == 2 and not read.out and "malformed" in read.err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.jsp", b""),
        ("binary.fjs", b"\x00\x01\xff"),
        ("cut.jsp", b"3 3\n0 1"),
        ("none.json", b'{"units": [], "jobs": [], "tasks": []}'),
        ("zero.jsp", b"0 0"),
    ],
)
def test_bad_files(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    read = typed("solve", tmp_path / name, "--json")
    assert read.code == 2 and answer(read)["feasible"] is False and answer(read)["remedy"]
    assert name in read.err and "→" in read.err


def test_a_missing_file(tmp_path: Path) -> None:
    read = typed("solve", tmp_path / "none.jsp")
    assert read.code == 2 and "no such file" in read.err and not read.out


@pytest.mark.parametrize(
    "words",
    [
        ("--seconds", "0"),
        ("--seconds", "x"),
        ("--workers", "0"),
        ("--seed", "-1"),
        ("--work-limit", "0"),
        ("--no",),
    ],
)
def test_bad_arguments(words: tuple[str, ...]) -> None:
    read = typed("solve", FT06, *words)
    assert read.code == 2 and not read.out and words[0] in read.err


def test_where_the_schedule_cannot_be_written_is_told_before_the_search(
    played: Callable[..., list[Limits]], tmp_path: Path
) -> None:
    limits = played()
    for out in (tmp_path, tmp_path / "none/out.json"):
        read = typed("solve", FT06, "--solution", out)
        assert read.code == 2 and "cannot be written" in read.err
    assert limits == []


def test_without_the_extra_one_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Missing:
        def find_spec(self, name: str, *_: object) -> None:
            if name == ENGINE:
                raise ModuleNotFoundError("No module named 'numba'", name="numba")

    monkeypatch.delitem(sys.modules, ENGINE, raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    read = typed("solve", FT06, "--json")
    assert read.code == 3 and 'pip install "zhongshu[plan]"' in read.err and "numba" in answer(read)["error"]
