"""How points and times are written in the API's questions: text in, points of the plant and plant time in ns out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from fastapi import HTTPException

from zhongshu.model.plant import Plant, Point
from zhongshu.web.room import Room

NS = 1_000_000_000
DEFAULT_S = 600
POINTS_MAX = 24
#: Times that the history can hold, in ns since 1970.
MOMENT_MAX = 2**62


def wanted(plant: Plant, names: Iterable[str], limit: int = POINTS_MAX) -> list[Point]:
    """Points by path or id, in the order asked for, each once; raises HTTPException (404, 422)."""
    by_id = {str(point.id): point for point in plant.points}
    found: dict[int, Point] = {}
    for name in (part.strip() for text in names for part in text.split(",")):
        point = plant.point_of_path.get(name) or by_id.get(name)
        if point is None:
            raise HTTPException(404, f"there is no point {name!r}; GET /api/points?search= finds them")
        found[point.id] = point
    if not found or len(found) > limit:
        raise HTTPException(422, f"name 1 to {limit} points, not {len(found)}")
    return list(found.values())


def times(room: Room, start: str, end: str) -> tuple[int, int]:
    """Start and end in ns of plant time; raises HTTPException (422)."""
    end_ns = moment(end, room.plant.timezone) if end else room.clock.now_ns()
    start_ns = moment(start, room.plant.timezone) if start else end_ns - DEFAULT_S * NS
    if start_ns > end_ns:
        raise HTTPException(422, "the start lies after the end")
    return start_ns, end_ns


def moment(text: str | int, timezone: str) -> int:
    """ISO 8601 (the plant's own zone where it names none) or ns since 1970 UTC, as ns; raises HTTPException (422)."""
    try:
        at_ns = _as_ns(text, timezone)
    except (ValueError, OverflowError) as error:
        raise HTTPException(
            422, f"{_short(text)} is no time: give ISO 8601 such as 2026-11-23T14:00 or ns"
        ) from error
    if not 0 <= at_ns <= MOMENT_MAX:
        raise HTTPException(422, f"{_short(text)} lies outside of 1970 to 2116, the times a plant can have")
    return at_ns


def _as_ns(text: str | int, timezone: str) -> int:
    if isinstance(text, int) or text.removeprefix("-").isdecimal():
        return int(text)
    at = datetime.fromisoformat(text)
    zoned = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(timezone))
    return round(zoned.timestamp() * 1_000_000) * 1000


def _short(text: str | int) -> str:
    """As it was given, but no longer than anybody reads."""
    given = repr(text) if isinstance(text, str) else f"{text:.6e}" if abs(text) > MOMENT_MAX else str(text)
    return given if len(given) <= 60 else f"{given[:57]}…"
