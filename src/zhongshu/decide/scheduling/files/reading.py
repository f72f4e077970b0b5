"""A problem file, by what its name and its first character say it is, into a problem."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from zhongshu.decide.scheduling.files.error import ProblemFileError
from zhongshu.decide.scheduling.files.problem_json import problem_from_json
from zhongshu.decide.scheduling.files.standard_text import flexible_job_shop, job_shop
from zhongshu.decide.scheduling.problem import Problem

BYTES_MAX = 500_000_000


def read_problem(path: Path) -> Problem:
    """Standard text (`.jsp`, `.fjs`) or problem JSON; any other suffix is told by its content.

    Raises ProblemFileError for whatever is no problem file, a file that holds nothing to plan among it.
    """
    try:
        return _read(path, _text(path))
    except ProblemFileError as error:
        raise error.of(str(path)) from None


def json_value(text: str) -> Any:
    """JSON as the standard has it: no NaN, no key twice, not nested beyond reason; raises ProblemFileError."""
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_twice)
    except json.JSONDecodeError as error:
        raise ProblemFileError("", error.lineno, "json", column=error.colno, error=error.msg) from None
    except RecursionError:
        raise ProblemFileError("", 0, "json-deep") from None
    except ValueError:  # a number of thousands of digits
        raise ProblemFileError("", 0, "json-huge") from None


def _read(path: Path, text: str) -> Problem:
    suffix = path.suffix.lower()
    start = text.lstrip()[:1]
    if not start:
        raise ProblemFileError("", 0, "empty")
    if suffix == ".json" or start in "{[":
        problem = problem_from_json(json_value(text))
        if not problem.tasks:
            raise ProblemFileError("", 0, "no-task")
        return problem
    if suffix in (".fjs", ".fjsp"):
        return flexible_job_shop(text, path.stem)
    try:
        return job_shop(text, path.stem)
    except ProblemFileError:
        if suffix in (".jsp", ".jss"):
            raise
        return flexible_job_shop(text, path.stem)


def _text(path: Path) -> str:
    try:
        if path.is_dir():
            raise ProblemFileError("", 0, "unreadable", error="it is a directory")
        if path.stat().st_size > BYTES_MAX:
            raise ProblemFileError("", 0, "too-large", limit=BYTES_MAX // 1_000_000)
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ProblemFileError("", 0, "missing") from None
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise ProblemFileError("", 0, "binary") from None
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ProblemFileError("", 0, "unreadable", error=reason) from None
    if "\0" in text:
        raise ProblemFileError("", 0, "binary")
    return text


def _no_constant(word: str) -> Any:
    raise ProblemFileError("", 0, "json-constant", word=word)


def _no_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ProblemFileError("", 0, "json-key-twice", key=twice[:40])
    return found
