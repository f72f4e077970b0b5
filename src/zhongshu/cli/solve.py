"""`zhongshu solve`: a problem file through validation, engine and checker into a schedule, figures, or the reason why there is none."""

from __future__ import annotations

import importlib
import json
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zhongshu.decide.scheduling.check import Violation, violations
from zhongshu.decide.scheduling.files import ProblemFileError, read_problem, solution_to_json
from zhongshu.decide.scheduling.objective import Kpis, kpis
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.decide.scheduling.validate import Fault, problems_of
from zhongshu.kernel.clock import process_age_s
from zhongshu.kernel.strings import strings_of

FEASIBLE, INFEASIBLE, BAD_INPUT, NO_ANSWER = 0, 1, 2, 3
ENGINE = "zhongshu.decide.scheduling.engine"
#: What the extra ``plan`` brings; without it there is no engine.
PLAN_LIBRARIES = {"numba", "llvmlite", "ortools"}
#: Kept back from the search for checking, writing and saying the answer.
RESERVE_S = 0.05
RESERVE_PER_TASK_S = 40e-6
TOLD_MAX = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed. ``seconds`` from the start of the process to the answer, compilation not counted."""

    file: Path
    seconds: float
    workers: int
    seed: int
    work_limit: int | None
    as_json: bool
    output: Path | None


def solve_file(asked: Asked) -> int:
    """Print the answer; 0 feasible, 1 infeasible, 2 the file or the arguments are wrong, 3 no answer."""
    try:
        problem = read_problem(asked.file)
        _writable(asked.output)
    except ProblemFileError as error:
        return _refuse(asked, BAD_INPUT, error.text(_language()), error=error.what, remedy=error.remedy)
    faults = problems_of(problem)
    if faults:
        return _unsolvable(asked, faults)
    try:
        engine = importlib.import_module(ENGINE)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in PLAN_LIBRARIES:
            raise
        return _refuse(asked, NO_ANSWER, _word("no-engine", library=error.name))
    return _search(asked, problem, engine)


def _search(asked: Asked, problem: Problem, engine: Any) -> int:
    began_s = process_age_s()
    reserve_s = RESERVE_S + RESERVE_PER_TASK_S * len(problem.tasks)
    seconds = max(0.0, asked.seconds - began_s - reserve_s)
    result = engine.solve(problem, engine.Limits(seconds, asked.workers, asked.seed, asked.work_limit))
    solution: Solution | None = result.solution
    if solution is None:
        if result.faults:
            return _unsolvable(asked, result.faults)
        return _refuse(asked, NO_ANSWER, _word("no-answer"))
    broken = violations(problem, solution)
    if broken:
        return _invalid(asked, broken)
    figures = kpis(problem, solution)
    if asked.output is not None:
        try:
            asked.output.write_text(json.dumps(solution_to_json(problem, solution)) + "\n", encoding="utf-8")
        except OSError as error:
            return _refuse(asked, BAD_INPUT, f"{asked.output}: {error.strerror}")
    first = result.time_first_s
    answer = {
        "file": str(asked.file),
        "feasible": True,
        "checked": True,
        "optimal": bool(result.optimal),
        "objective": _number(figures.objective),
        "makespan": figures.makespan,
        "bound": _number(result.bound),
        "gap": _gap(figures.objective, result.bound),
        "time_first_s": None if first is None else round(began_s + first, 3),
        "time_s": round(process_age_s() - result.compile_s, 3),
        "compile_s": round(result.compile_s, 3),
        "seconds": asked.seconds,
        "workers": asked.workers,
        "seed": asked.seed,
        "work": result.work,
        "engine": result.engine,
        "jobs": len(problem.jobs),
        "tasks": len(problem.tasks),
        "units": len(problem.units),
        "kpis": _kpis(figures),
    }
    print(json.dumps(answer) if asked.as_json else _table(answer, figures))
    return FEASIBLE


def _kpis(figures: Kpis) -> dict[str, Any]:
    """All but the ends of the jobs, which the solution tells."""
    named = asdict(figures)
    del named["job_ends"]
    return named | {"objective": _number(figures.objective)}


def _number(value: float) -> float | int | None:
    """JSON knows no infinity, and whole numbers are read more easily without a point."""
    if not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() else float(value)


def _gap(objective: float, bound: float) -> float | None:
    """(objective - bound) / objective; 0 where the bound is reached."""
    if not math.isfinite(bound):
        return None
    if objective <= bound:
        return 0.0
    return round((objective - bound) / abs(objective), 6) if objective else None


def _unsolvable(asked: Asked, faults: Sequence[Fault]) -> int:
    """Which constraints conflict, or what is malformed."""
    invalid = any(fault.invalid for fault in faults)
    code = BAD_INPUT if invalid else INFEASIBLE
    lines = [_said(fault) for fault in faults[:TOLD_MAX]]
    if len(faults) > TOLD_MAX:
        lines.append(_word("more", count=len(faults) - TOLD_MAX))
    told = "\n  ".join([_word("invalid" if invalid else "infeasible", file=asked.file), *lines])
    named = [
        {"constraints": f.constraints, "en": f.text, "zh": f.text_zh, "task": f.task, "unit": f.unit}
        for f in faults
    ]
    return _refuse(asked, code, told, conflicts=named)


def _invalid(asked: Asked, broken: Sequence[Violation]) -> int:
    """The engine made something that breaks a rule: never shown as a schedule."""
    lines = [_said(violation) for violation in broken[:TOLD_MAX]]
    told = "\n  ".join([_word("unchecked", count=len(broken)), *lines])
    return _refuse(asked, NO_ANSWER, told, checked=False, violations=[asdict(v) for v in broken[:TOLD_MAX]])


def _refuse(asked: Asked, code: int, told: str, **more: Any) -> int:
    """People read standard error, machines what --json prints."""
    print(f"zhongshu: {told}", file=sys.stderr)
    if asked.as_json:
        answer = {"file": str(asked.file), "feasible": False, "makespan": None, "bound": None}
        times = {"time_first_s": None, "time_s": round(process_age_s(), 3)}
        print(json.dumps({**answer, **times, **({} if more else {"error": told}), **more}))
    return code


def _writable(output: Path | None) -> None:
    """Better told before the search than after it."""
    if output is None:
        return
    if output.is_dir() or not output.parent.is_dir() or not os.access(output.parent, os.W_OK):
        raise ProblemFileError(str(output), 0, "unwritable")


def _said(found: Fault | Violation) -> str:
    return found.text_zh if _language() == "zh" else found.text


def _table(answer: dict[str, Any], figures: Kpis) -> str:
    """A few lines for people."""
    bound, gap = answer["bound"], answer["gap"]
    proof = _word("optimal") if answer["optimal"] else "" if gap is None else f"{gap:.2%}"
    first = answer["time_first_s"]
    rows = [
        (_word("problem"), _word("size", **{k: answer[k] for k in ("jobs", "tasks", "units")})),
        (_word("schedule"), _word("checked")),
        (_word("objective"), f"{answer['objective']:,}"),
        (_word("bound"), f"{'–' if bound is None else format(bound, ',')}  {proof}"),
        (_word("makespan"), f"{figures.makespan:,}"),
        (_word("tardiness"), f"{figures.weighted_tardiness:,}  ({figures.late_jobs}/{answer['jobs']})"),
        (_word("setups"), f"{figures.setups:,}  ({figures.setup_ticks:,})"),
        (_word("time"), f"{answer['time_s']:.2f} s"),
        (_word("first"), "–" if first is None else f"{first:.2f} s"),
        (_word("compiling"), f"{answer['compile_s']:.2f} s"),
        (_word("engine"), f"{answer['engine']}, seed {answer['seed']}, work {answer['work']:,}"),
    ]
    return "\n".join(f"{_padded(name)}{value}" for name, value in rows)


def _padded(name: str, width: int = 24) -> str:
    """Chinese characters are two columns wide."""
    return name + " " * max(1, width - sum(2 if ord(c) > 0x2E80 else 1 for c in name))


def _word(key: str, **values: Any) -> str:
    return strings_of("zhongshu.cli").text(f"solve.{key}", _language(), **values)


def _language() -> str:
    """Chinese where the terminal is set to it."""
    told = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if told.lower().startswith("zh") else "en"
