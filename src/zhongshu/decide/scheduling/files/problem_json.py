"""Problems as JSON values and back, without loss; whoever writes by hand may call units, jobs and tasks by their names."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

from zhongshu.decide.scheduling.files.error import ProblemFileError
from zhongshu.decide.scheduling.files.grammar import PROBLEM
from zhongshu.decide.scheduling.problem import Problem

#: The value of the key ``zhongshu`` in a problem file.
FORMAT = "problem/1"
_NAMED = ("units", "jobs", "tasks", "pools", "materials")


def problem_to_json(problem: Problem) -> dict[str, Any]:
    """Objects, lists, numbers, texts; what equals a default is left out. ``problem_from_json`` gives the same problem again."""
    return {"zhongshu": FORMAT, **PROBLEM.write(problem)}


def problem_from_json(value: Any) -> Problem:
    """The problem that a JSON value stands for; raises ProblemFileError (without a file's name) that names the place.

    Indexes that lead nowhere are left to ``validate.problems_of``, as they are in a problem made by a program.
    """
    if isinstance(value, dict) and "zhongshu" in value:
        if value["zhongshu"] != FORMAT:
            raise ProblemFileError("", 0, "json-format", got=str(value["zhongshu"])[:40], wanted=FORMAT)
        value = {key: part for key, part in value.items() if key != "zhongshu"}
    return cast("Problem", PROBLEM.read(value, "", _names(value)))


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a problem file, for editors."""
    schema = PROBLEM.schema()
    schema["properties"] = {"zhongshu": {"const": FORMAT}, **schema["properties"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "zhongshu scheduling problem",
        **schema,
    }


def _names(value: Any) -> dict[str, dict[str, int]]:
    """Names that exactly one entry of a list has."""
    found: dict[str, dict[str, int]] = {}
    for book in _NAMED:
        entries = value.get(book) if isinstance(value, dict) else None
        names = (
            [e.get("name") if isinstance(e, dict) else None for e in entries]
            if isinstance(entries, list)
            else []
        )
        texts = [name if isinstance(name, str) else "" for name in names]
        count = Counter(texts)
        found[book] = {name: i for i, name in enumerate(texts) if name and count[name] == 1}
    return found
