"""Plain values → PlantSpec, every breach of the grammar told in plain words; what can't be understood is left out."""

from __future__ import annotations

import copy
import re
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from zhongshu.kernel.plantfile.problems import Findings, Loc, did_you_mean
from zhongshu.kernel.plantfile.spec import PlantSpec
from zhongshu.kernel.plantfile.values import Spec

S = TypeVar("S", bound=Spec)
#: Leaving out one broken part can break the part around it; a file is no deeper than this.
_ROUNDS = 12

_WORDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "dataclass_type": "a label, like 冲压 / Press",
    "list_type": "a list",
    "tuple_type": "a list",
}


def validated(values: dict[str, Any], findings: Findings) -> PlantSpec | None:
    """The file as a PlantSpec. Broken parts are reported, then left out so that the rest can be checked as well.

    None where too little is left. Names defined in parts left out are forgiven: no reference to them is reported.
    """
    rest = values
    for turn in range(_ROUNDS):
        try:
            return PlantSpec.model_validate(rest)
        except ValidationError as error:
            problems = error.errors(include_url=False)
        if turn == 0:
            rest = copy.deepcopy(values)
            findings.partial = True
            report(problems, values, PlantSpec, findings)
        _leave_out(rest, problems, findings)
    return None


def validate_part(grammar: type[S], values: Any, loc: Loc, findings: Findings) -> S | None:
    """One part of the file against its own grammar (settings and addresses, which depend on the protocol)."""
    try:
        return grammar.model_validate(values)
    except ValidationError as error:
        report(error.errors(include_url=False), values, grammar, findings, loc)
        return None


def report(
    problems: list[ErrorDetails], values: Any, grammar: type[BaseModel], findings: Findings, loc: Loc = ()
) -> None:
    """Each problem once, at its place in the file, in words."""
    seen: set[Loc] = set()
    for problem in problems:
        inner = _place(values, problem)
        if inner in seen or (*loc, *inner) in findings.told:
            continue  # the branches of a union complain one by one
        seen.add(inner)
        message, remedy = _words(problem, grammar)
        findings.error((*loc, *inner), message, remedy)


def _place(values: Any, problem: ErrorDetails) -> Loc:
    """Pydantic's place without the steps that exist only in the grammar (union branches, keys of mappings)."""
    steps: list[str | int] = []
    here = values
    for step in problem["loc"]:
        if isinstance(here, dict) and str(step) in here:
            here, step = here[str(step)], str(step)
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
        elif problem["type"] != "missing":
            break
        steps.append(step)
    return tuple(steps)


def _words(problem: ErrorDetails, grammar: type[BaseModel]) -> tuple[str, str]:
    """Message and remedy."""
    kind, loc, context = problem["type"], problem["loc"], problem.get("ctx", {})
    name = str(loc[-1]) if loc else ""
    if kind == "extra_forbidden":
        known = _fields_at(grammar, loc[:-1])
        return f"“{name}” means nothing here.", did_you_mean(name, known)
    if kind == "missing":
        field = _model_at(grammar, loc[:-1])
        description = field.model_fields[name].description if field and name in field.model_fields else None
        return f"“{name}” is missing.", f"Add “{name}: …”. {description or ''}".strip()
    if kind == "literal_error":
        choices = [str(c) for c in _literals(str(context.get("expected", "")))]
        return f"“{problem['input']}” is not one of the choices.", did_you_mean(
            str(problem["input"]), choices
        )
    if kind in _WORDS:
        quotes = " Take the quotes away." if _is_quoted(kind, problem["input"]) else ""
        return (
            f"This should be {_WORDS[kind]}, not {_shown(problem['input'])}.",
            f"Write {_WORDS[kind]}.{quotes}",
        )
    if kind == "string_pattern_mismatch":
        return (
            f"“{problem['input']}” is not written as it should be.",
            f"It must match {context.get('pattern')}.",
        )
    if kind in ("text", "time", "span", "days", "choices"):
        message, _, remedy = problem["msg"].partition("; ")
        return f"{message}: {_shown(problem['input'])}.", (
            remedy[:1].upper() + remedy[1:] + "."
        ) if remedy else "Correct it."
    return f"{_limit(problem['msg'])}, but this is {_shown(problem['input'])}.", "Change the value."


def _is_quoted(kind: str, value: Any) -> bool:
    """Whether text would be what is wanted if it had no quotes."""
    if not isinstance(value, str):
        return False
    pattern = {"int": r"[+-]?\d+", "flo": r"[+-]?\d+(\.\d*)?", "boo": "true|false"}.get(kind[:3])
    return pattern is not None and re.fullmatch(pattern, value) is not None


def _limit(message: str) -> str:
    """Pydantic's own words for limits, a little friendlier."""
    return message.replace("Input should be", "This should be").replace(
        "at least 1 item after validation, not 0", "at least one entry"
    )


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    text = str(value)
    return f"“{text}”" if len(text) <= 40 else f"“{text[:39]}…”"


def _literals(expected: str) -> list[str]:
    return [part.strip(" '") for part in expected.replace(" or ", ", ").split(",")]


def _fields_at(grammar: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    model = _model_at(grammar, loc)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _model_at(grammar: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The part of the grammar that holds at ``loc``."""
    here: Any = grammar
    for step in loc:
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = here.model_fields.get(str(step))
            here = field.annotation if field else None
        else:  # an entry of a list or mapping: the grammar of its values
            here = (get_args(here) or (None,))[-1]
        here = _bare(here)
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _bare(annotation: Any) -> Any:
    """Without Annotated and Optional."""
    while hasattr(annotation, "__metadata__"):
        annotation = get_args(annotation)[0]
    options = [a for a in get_args(annotation) if a is not type(None)]
    if len(options) == 1 and len(get_args(annotation)) == 2:
        return _bare(options[0])
    return annotation


def _leave_out(rest: Any, problems: list[ErrorDetails], findings: Findings) -> None:
    """Delete what is broken: each value itself, or for a missing key the part that lacks it."""
    broken: set[Loc] = set()
    for problem in problems:
        loc = _place(rest, problem)
        _forgive(rest, loc, findings)
        broken.add(loc[:-1] if problem["type"] == "missing" else loc)
    # The deepest first, and the last of a list first, so that no deletion moves what another one names.
    for loc in sorted(
        broken, key=lambda loc: (len(loc), loc[-1] if loc and isinstance(loc[-1], int) else 0), reverse=True
    ):
        holder = rest
        for step in loc[:-1]:
            holder = holder[step]
        if loc and isinstance(holder, list) and isinstance(loc[-1], int):
            original = findings.original(loc[:-1])
            kept = findings.kept.setdefault(original, list(range(len(holder))))
            del holder[loc[-1]], kept[loc[-1]]
        elif loc and isinstance(holder, dict):
            holder.pop(str(loc[-1]), None)


def _forgive(rest: Any, loc: Loc, findings: Findings) -> None:
    """Remember every name on the way to a broken part: what refers to it is not to blame."""
    here = rest
    for step in loc:
        findings.forgiven.add(str(step))
        if isinstance(here, dict):
            findings.forgiven |= {str(v) for k, v in here.items() if k == "id"}
            here = here.get(str(step))
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
