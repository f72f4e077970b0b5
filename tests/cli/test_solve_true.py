"""The true command in a process of its own, with the true engine: quick to help, right in its figures, on time."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.files import read_problem, solution_from_json
from zhongshu.kernel.clock import process_age_s

DATA = Path(__file__).resolve().parents[1] / "data/scheduling"
engine = pytest.mark.skipif(
    importlib.util.find_spec("zhongshu.decide.scheduling.engine") is None, reason="there is no engine yet"
)


def ran(*words: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LC_")} | {"LANG": "C.UTF-8"}
    command = [sys.executable, "-m", "zhongshu.cli.main", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=200)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def solved(name: str, *words: str, out: Path) -> dict[str, Any]:
    done = ran("solve", DATA / name, *words, "--json", "--solution", out)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    problem = read_problem(DATA / name)
    schedule = solution_from_json(problem, json.loads(out.read_text()))
    assert violations(problem, schedule) == ()
    assert max(p.end for p in schedule.placed) == said["makespan"]
    return said


@engine
@pytest.mark.parametrize(("name", "best"), [("ft06.jsp", 55), ("mk01.fjs", 40), ("behnke1.fjs", 90)])
def test_small_public_instances(name: str, best: int, tmp_path: Path) -> None:
    said = solved(name, "--seconds", "6", "--workers", "2", "--seed", "1", out=tmp_path / "out.json")
    assert said["feasible"] and said["checked"]
    assert best <= said["makespan"] <= best * 1.05
    assert 0 < said["bound"] <= best
    assert said["time_first_s"] <= said["time_s"] <= 8


@engine
def test_one_seed_and_one_work_limit_give_one_answer(tmp_path: Path) -> None:
    words = ("--seconds", "60", "--workers", "1", "--seed", "3", "--work-limit", "20")
    first = solved("mk01.fjs", *words, out=tmp_path / "a.json")
    second = solved("mk01.fjs", *words, out=tmp_path / "b.json")
    assert first["makespan"] == second["makespan"]
    assert (tmp_path / "a.json").read_text() == (tmp_path / "b.json").read_text()


def test_help_needs_no_engine() -> None:
    probe = (
        "import sys; from zhongshu.cli import main; from zhongshu.cli.solve import solve_file; "
        "print(sorted({'numba', 'ortools', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
    assert "--work-limit" in ran("solve", "--help").stdout


def test_the_age_of_a_process_counts_from_its_start() -> None:
    probe = (
        "import time; time.sleep(0.5); from zhongshu.kernel.clock import process_age_s as age; print(age())"
    )
    began_s = time.monotonic()
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60)
    assert 0.49 <= float(done.stdout) <= time.monotonic() - began_s + 0.02
    assert process_age_s() > 0
