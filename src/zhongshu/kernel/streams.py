"""Which stream keeps which subject, and how wildcards match; both buses and their server read it."""

from __future__ import annotations

from functools import lru_cache

from zhongshu.model import subjects

#: The streams of a plant's bus and the subjects each of them keeps.
STREAMS: dict[str, str] = {subjects.POINTS: "zs.*.points.>", subjects.EVENTS: "zs.*.events.>"}


@lru_cache(maxsize=8192)  # asked for every message and whoever listens; there are few kinds of subjects
def matches(pattern: str, subject: str) -> bool:
    """True if ``subject`` falls under ``pattern``: ``*`` stands for one token, a final ``>`` for one or more."""
    wanted, tokens = pattern.split("."), subject.split(".")
    for index, want in enumerate(wanted):
        if want == ">":
            return len(tokens) > index
        if index >= len(tokens) or want not in ("*", tokens[index]):
            return False
    return len(wanted) == len(tokens)


@lru_cache(maxsize=8192)
def stream_of(subject: str) -> str | None:
    """The stream that keeps ``subject``, or None where nothing keeps it."""
    return next((name for name, pattern in STREAMS.items() if matches(pattern, subject)), None)
