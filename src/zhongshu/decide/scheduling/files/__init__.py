"""Problems and solutions as files: standard benchmark text and zhongshu's JSON in, problems out; solutions out as JSON."""

from __future__ import annotations

from zhongshu.decide.scheduling.files.error import ProblemFileError
from zhongshu.decide.scheduling.files.problem_json import json_schema, problem_from_json, problem_to_json
from zhongshu.decide.scheduling.files.reading import json_value, read_problem
from zhongshu.decide.scheduling.files.solution_json import solution_from_json, solution_to_json

__all__ = [
    "ProblemFileError",
    "json_schema",
    "json_value",
    "problem_from_json",
    "problem_to_json",
    "read_problem",
    "solution_from_json",
    "solution_to_json",
]
