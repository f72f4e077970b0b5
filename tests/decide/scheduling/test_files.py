"""Problem and solution files: standard text, JSON both ways, and garbage of every kind answered in words."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.decide.scheduling.check.imagined import problems, problems_and_solutions
from zhongshu.decide.scheduling.files import (
    ProblemFileError,
    json_schema,
    json_value,
    problem_from_json,
    problem_to_json,
    read_problem,
    solution_from_json,
    solution_to_json,
)
from zhongshu.decide.scheduling.problem import Arc, Job, Mode, Problem, Task, Unit, Weights
from zhongshu.decide.scheduling.solution import Placed, Solution
from zhongshu.decide.scheduling.validate import problems_of

DATA = Path(__file__).resolve().parents[2] / "data/scheduling"
REFERENCE = Path(__file__).resolve().parents[3] / "docs/reference"
relaxed = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(path: Path) -> ProblemFileError:
    with pytest.raises(ProblemFileError) as caught:
        read_problem(path)
    error = caught.value
    assert error.file == str(path) and str(path) in str(error)
    assert error.what and error.remedy and error.what_zh and error.remedy_zh
    assert len(str(error)) < 600 and str(error).count("\n") == 1
    return error


def test_job_shop_text() -> None:
    problem = read_problem(DATA / "ft06.jsp")
    assert problem.plain and problem.name == "ft06"
    assert (len(problem.jobs), len(problem.units), len(problem.tasks), len(problem.arcs)) == (6, 6, 36, 30)
    assert problem.tasks[0] == Task(0, (Mode(2, 1),)) and problem.tasks[35] == Task(5, (Mode(2, 1),))
    assert problem.arcs[5] == Arc(6, 7)


@pytest.mark.parametrize(("name", "jobs", "units", "tasks"), [("mk01", 10, 6, 55), ("behnke1", 10, 20, 50)])
def test_flexible_text(name: str, jobs: int, units: int, tasks: int) -> None:
    problem = read_problem(DATA / f"{name}.fjs")
    assert problem.plain
    assert (len(problem.jobs), len(problem.units), len(problem.tasks)) == (jobs, units, tasks)
    if name == "mk01":
        assert problem.tasks[0].modes == (Mode(0, 5), Mode(2, 4)), "machine 1 of the text is unit 0"


def test_text_is_read_by_numbers_not_by_lines(tmp_path: Path) -> None:
    wrapped = "# a remark\n\n2 2\n0 3 1\n 2\n1 4.0 0 5\n\n"
    wanted = ((Mode(0, 3),), (Mode(1, 2),), (Mode(1, 4),), (Mode(0, 5),))
    assert tuple(t.modes for t in read_problem(written(tmp_path, "a.jsp", wrapped)).tasks) == wanted
    with_mark = b"\xef\xbb\xbf1 1\r\n0 7\r\n"
    assert read_problem(written(tmp_path, "b.jsp", with_mark)).tasks[0].modes == (Mode(0, 7),)


def test_other_suffixes_are_told_by_their_content(tmp_path: Path) -> None:
    for name in ("ft06.jsp", "mk01.fjs"):
        there = read_problem(written(tmp_path, "x.txt", (DATA / name).read_bytes()))
        assert there.tasks == read_problem(DATA / name).tasks
    value = problem_to_json(read_problem(DATA / "ft06.jsp"))
    assert read_problem(written(tmp_path, "y.jsp", json.dumps(value))).name == "ft06"


def test_a_job_may_have_no_operation_but_not_all(tmp_path: Path) -> None:
    problem = read_problem(written(tmp_path, "a.fjs", "2 1 1\n0\n1 1 1 5\n"))
    assert problem.tasks_of == ((), (0,))
    assert "nothing to plan" in refused(written(tmp_path, "b.fjs", "2 1 1\n0\n0\n")).what


GARBAGE: dict[str, tuple[str | bytes, int]] = {
    "empty.jsp": ("", 0),
    "blank.fjs": ("  \n\t\n", 0),
    "remark.jsp": ("# nothing\n", 0),
    "binary.jsp": (b"\x00\xff\xfe\x80", 0),
    "nul.jsp": (b"1 1\n0 1\x00", 0),
    "words.txt": ("hello world", 1),
    "header.jsp": ("3\n0 1", 1),
    "long-header.jsp": ("1 1 1 1\n0 1", 1),
    "zero.jsp": ("0 0\n", 1),
    "negative-header.jsp": ("-1 2\n", 1),
    "half.jsp": ("1.5 2\n0 1 1 1", 1),
    "cut.jsp": ("2 2\n0 1 1 2\n0 1 1", 3),
    "more.jsp": ("1 1\n0 1\n0 1", 3),
    "machine.jsp": ("1 2\n0 1 2 1", 2),
    "negative.jsp": ("1 1\n0 -3", 2),
    "nan.jsp": ("1 1\n0 nan", 2),
    "inf.jsp": ("1 1\n0 inf", 2),
    "decimal.jsp": ("1 1\n0 2.5", 2),
    "underscore.jsp": ("1 1\n0 1_0", 2),
    "huge.jsp": ("1 1\n0 " + "9" * 5000, 2),
    "exponent.jsp": ("1 1\n0 1e300", 2),
    "many-jobs.jsp": ("99999999999 99999\n", 1),
    "many-machines.jsp": ("1 999999999999\n0 1", 1),
    "from-zero.fjs": ("1 2\n1 1 0 3", 2),
    "beyond.fjs": ("1 2\n1 1 3 3", 2),
    "no-choice.fjs": ("1 1\n1 0", 2),
    "cut.fjs": ("1 2 1.5\n2 1 1 3 1", 2),
    "more.fjs": ("1 1\n1 1 1 3 4", 2),
    "open.json": ('{"units": [', 1),
    "line.json": ('{"units": [],\n"jobs": [}', 2),
    "number.json": ("5", 0),
    "list.json": ("[]", 0),
    "nothing.json": ('{"units": [], "jobs": [], "tasks": []}', 0),
    "nan.json": ('{"units": [{"name": "a", "ready": NaN}], "jobs": [], "tasks": []}', 0),
    "deep.json": ("[" * 100_000, 0),
    "huge.json": ('{"x": 1' + "0" * 5000 + "}", 0),
    "twice.json": ('{"units": [], "units": [], "jobs": [], "tasks": []}', 0),
    "version.json": ('{"zhongshu": "problem/9", "units": [], "jobs": [], "tasks": []}', 0),
    "text.json": ("units: []", 1),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_answered_in_words(name: str, tmp_path: Path) -> None:
    content, line = GARBAGE[name]
    assert refused(written(tmp_path, name, content)).line == line


def test_what_is_no_file(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "none.jsp").what
    assert "directory" in refused(tmp_path).what


@relaxed
@given(st.binary(max_size=60), st.sampled_from([".jsp", ".fjs", ".json", ".txt"]))
def test_any_bytes_are_a_problem_or_an_error(tmp_path_factory: Any, content: bytes, suffix: str) -> None:
    path = written(tmp_path_factory.getbasetemp(), f"any{suffix}", content)
    with contextlib.suppress(ProblemFileError):
        assert read_problem(path).tasks


@relaxed
@given(st.text("0123456789 .-\n", max_size=60), st.sampled_from([".jsp", ".fjs"]))
def test_any_numbers_are_a_problem_or_an_error(tmp_path_factory: Any, text: str, suffix: str) -> None:
    path = written(tmp_path_factory.getbasetemp(), f"numbers{suffix}", text)
    with contextlib.suppress(ProblemFileError):
        assert read_problem(path).plain


@relaxed
@given(problems())
def test_json_loses_nothing(problem: Problem) -> None:
    text = json.dumps(problem_to_json(problem), allow_nan=False)
    assert problem_from_json(json_value(text)) == problem


def test_defaults_are_left_out() -> None:
    problem = Problem((Unit("A"),), (Job(due=9),), (Task(0, (Mode(0, 3),)),), weights=Weights(tardiness=2))
    assert problem_to_json(problem) == {
        "zhongshu": "problem/1",
        "units": [{"name": "A"}],
        "jobs": [{"due": 9}],
        "tasks": [{"job": 0, "modes": [{"unit": 0, "duration": 3}]}],
        "weights": {"tardiness": 2},
    }


def test_names_stand_for_indexes() -> None:
    value = {
        "units": [{"name": "saw"}, {"name": "press"}, {"name": "twin"}, {"name": "twin"}],
        "jobs": [{"name": "order 7"}],
        "tasks": [
            {"name": "cut", "job": "order 7", "modes": [{"unit": "saw", "duration": 3.0}]},
            {"name": "form", "job": 0, "modes": [{"unit": "press", "duration": 2}]},
        ],
        "arcs": [{"before": "cut", "after": "form"}],
        "frozen": [{"unit": "saw", "tasks": ["cut"]}],
    }
    problem = problem_from_json(value)
    assert problem.tasks[1].modes == (Mode(1, 2),) and problem.arcs == (Arc(0, 1),)
    assert problem.frozen == ((0, (0,)),)
    value["arcs"][0]["after"] = "fold"
    with pytest.raises(ProblemFileError, match=r"arcs\[0\].after.*“fold”"):
        problem_from_json(value)
    value["arcs"][0]["after"] = 1
    value["tasks"][0]["modes"][0]["unit"] = "twin"
    with pytest.raises(ProblemFileError, match="more than one"):
        problem_from_json(value)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("units", {}, "units should be a list"),
        ("jobs", [5], r"jobs\[0\] should be an object"),
        ("tasks", [{"job": 0}], r"tasks\[0\] lacks “modes”"),
        ("tasks", [{"job": True, "modes": []}], r"tasks\[0\].job should be a whole number"),
        ("tasks", [{"job": 0.5, "modes": []}], r"tasks\[0\].job should be a whole number"),
        ("tasks", [{"job": 0, "modes": [], "interruptible": 1}], "should be true or false"),
        ("units", [{"name": 5}], r"units\[0\].name should be a text"),
        ("units", [{"nam": "a"}], r"no key “nam”\n.*name"),
        ("pools", [{"name": "a", "levels": [[0, 1]]}], r"pools\[0\].levels\[0\] should be an object"),
        ("weights", {"makespan": 2**41}, "weights.makespan should be a whole number"),
        ("churn", "3", "churn should be a whole number"),
    ],
)
def test_the_place_of_an_error_is_told(place: str, value: Any, said: str) -> None:
    good = {"units": [], "jobs": [], "tasks": []}
    with pytest.raises(ProblemFileError, match=said):
        problem_from_json({**good, place: value})


@relaxed
@given(problems_and_solutions())
def test_solutions_both_ways(drawn: tuple[Problem, Solution]) -> None:
    problem, solution = drawn
    text = json.dumps(solution_to_json(problem, solution))
    assert solution_from_json(problem, json.loads(text)) == solution


def test_the_form_of_a_solution() -> None:
    problem = read_problem(DATA / "mk01.fjs")
    first = Solution(tuple(Placed(i, len(t.modes) - 1, i, i + 9, i + 9) for i, t in enumerate(problem.tasks)))
    value = solution_to_json(problem, first)
    assert set(value) == {"tasks"}
    assert value["tasks"][0] == {"job": 0, "task": 0, "machine": 2, "start": 0, "end": 9, "mode": 1}
    assert value["tasks"][7]["job"] == 1 and value["tasks"][7]["task"] == 1
    bare = {"tasks": [{k: v for k, v in t.items() if k != "mode"} for t in value["tasks"]]}
    assert solution_from_json(problem, bare) == first, "the machine tells the mode"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"job": 9}, "job is 9"),
        ({"task": 2}, "task is 2"),
        ({"machine": 1}, "machine 1"),
        ({"start": None}, "start should be a whole number"),
        ({"task": 1}, "placed before"),
    ],
)
def test_solutions_that_are_none(change: dict[str, Any], said: str) -> None:
    problem = Problem(
        (Unit("A"), Unit("B")), (Job(),), (Task(0, (Mode(0, 1),)), Task(0, (Mode(0, 2),))), (Arc(0, 1),)
    )
    tasks = [{"job": 0, "task": i, "machine": 0, "start": i, "end": 2 * i + 1} for i in range(2)]
    assert solution_from_json(problem, {"tasks": tasks}).placed[1] == Placed(1, 0, 1, 3, 3)
    for broken in ({"tasks": [{**tasks[0], **change}, tasks[1]]},):
        with pytest.raises(ProblemFileError, match=said):
            solution_from_json(problem, broken)
    for none in ({}, [], {"tasks": tasks[:1]}, {"tasks": tasks, "moves": 5}, {"tasks": [5]}):
        with pytest.raises(ProblemFileError):
            solution_from_json(problem, none)


def test_the_reference_names_every_key() -> None:
    schema = json_schema()
    assert json.loads((REFERENCE / "problem.schema.json").read_text("utf-8")) == schema
    page = (REFERENCE / "problem.md").read_text("utf-8")
    assert [key for key in _keys(schema) if f"`{key}`" not in page] == []


def _keys(schema: Any) -> set[str]:
    """Every property at any depth."""
    if isinstance(schema, list):
        return set().union(*map(_keys, schema))
    if not isinstance(schema, dict):
        return set()
    own = set(schema.get("properties", {}))
    return own.union(*(_keys(part) for part in schema.values()))


def test_the_example_of_the_reference_is_a_problem() -> None:
    page = (REFERENCE / "problem.md").read_text("utf-8")
    example = page.split("```json\n")[1].split("```")[0]
    problem = problem_from_json(json_value(example))
    assert problem.tasks[1].modes == (Mode(1, 45),) and problems_of(problem) == ()
