"""The small values of a plant file: labels in two languages, times of day, weekdays, names; text in, checked values out."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from zhongshu.model.plant import Text

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
#: A name that may hold {n}, {n:02}, {g} and the like.
_TEMPLATE = r"^[A-Za-z0-9{][A-Za-z0-9_\-{}:+]*$"


class Spec(BaseModel):
    """What all parts of the file have in common: unknown keys are errors, “5” is no number, nothing changes later."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def _text(value: Any) -> Any:
    """``中文 / English``, one text for both, or ``{zh: …, en: …}``."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        raise PydanticCustomError("text", "The label is empty")
    zh, slash, en = value.partition(" / ")
    return Text(zh=zh.strip(), en=en.strip()) if slash else Text(zh=value, en=value)


def _minutes(value: Any) -> int:
    """``HH:MM`` → minutes after midnight, 0..1440."""
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match else 9999
    if minutes > 24 * 60:
        raise PydanticCustomError(
            "time", "This is no time of day; write it like 08:30 (24:00 is the end of the day)"
        )
    return minutes


def _span(value: Any) -> tuple[int, int]:
    """``HH:MM-HH:MM`` → minutes from and to."""
    start, dash, end = value.partition("-") if isinstance(value, str) else ("", "", "")
    if not dash:
        raise PydanticCustomError("span", "This is no span of time; write it like 12:00-12:30")
    return _minutes(start.strip()), _minutes(end.strip())


def _days(value: Any) -> list[int]:
    """``mon-fri``, ``mon, wed``, or a list of weekdays → 0 (Monday) to 6."""
    parts = [p.strip() for p in value.split(",")] if isinstance(value, str) else value
    days: list[int] = []
    for part in parts if isinstance(parts, list) else [None]:
        first, _, last = part.partition("-") if isinstance(part, str) else ("?", "", "")
        if first not in DAYS or (last or first) not in DAYS:
            raise PydanticCustomError(
                "days", "These are no weekdays; write mon-fri, or a list of mon tue wed thu fri sat sun"
            )
        a, b = DAYS.index(first), DAYS.index(last or first)
        days += range(a, b + 1) if a <= b else [*range(a, 7), *range(b + 1)]
    return sorted(set(days))


def _numbered(value: Any) -> Any:
    """Choices: numbers (which YAML may have read as text) to labels."""
    if not isinstance(value, dict):
        return value
    try:
        return {int(k): v for k, v in value.items()}
    except ValueError:
        raise PydanticCustomError(
            "choices", "Choices are numbers with labels, like {0: 关 / Off, 1: 开 / On}"
        ) from None


_ANY_TEXT = {"anyOf": [{"type": "string"}, {"type": "object", "required": ["zh", "en"]}]}

Label = Annotated[Text, BeforeValidator(_text), WithJsonSchema({**_ANY_TEXT, "title": "中文 / English"})]
Minutes = Annotated[
    int, BeforeValidator(_minutes), WithJsonSchema({"type": "string", "pattern": r"^\d{1,2}:\d\d$"})
]
Span = Annotated[
    tuple[int, int],
    BeforeValidator(_span),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,2}:\d\d *- *\d{1,2}:\d\d$"}),
]
Spot = Annotated[
    tuple[float, float],
    BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
]
Days = Annotated[
    list[int],
    BeforeValidator(_days),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"enum": list(DAYS)}}]}),
]
Choices = Annotated[dict[int, Label], BeforeValidator(_numbered)]
Name = Annotated[str, Field(pattern=_NAME, max_length=60)]
Template = Annotated[str, Field(pattern=_TEMPLATE, max_length=80)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
