"""Why the planner does not do what it was asked, in both languages."""

from __future__ import annotations

from typing import Any

from zhongshu.decide.planner.words import both


class Refusal(Exception):
    """``words``: zh and en."""

    def __init__(self, key: str, **values: Any) -> None:
        self.words = both(key, **values)
        super().__init__(self.words["en"])
