"""A smallest set of constraints that cannot hold together, found by asking a solver again and again (Junker, QuickXplain, 2004)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class OutOfQuestions(Exception):
    """The solver was asked as often as allowed, and the set is not the smallest yet."""


def smallest_conflict(
    constraints: Sequence[T], consistent: Callable[[Sequence[T]], bool], questions: int
) -> list[T]:
    """A subset that is inconsistent while each of its own subsets is consistent.

    ``consistent(subset)`` says whether the constraints of the subset can hold together; all of them together cannot, none
    of them can. Of several such sets the one that does without the last constraints is preferred the least. Raises
    OutOfQuestions after ``questions`` calls.
    """
    asked = 0

    def clash(kept: Sequence[T]) -> bool:
        nonlocal asked
        if asked >= questions:
            raise OutOfQuestions
        asked += 1
        return not consistent(kept)

    def explain(background: list[T], added: bool, open_: Sequence[T]) -> list[T]:
        """Those of ``open_`` that are needed beside the background."""
        if added and clash(background):
            return []
        if len(open_) == 1:
            return list(open_)
        middle = len(open_) // 2
        first, second = open_[:middle], open_[middle:]
        needed_second = explain([*background, *first], bool(first), second)
        needed_first = explain([*background, *needed_second], bool(needed_second), first)
        return [*needed_first, *needed_second]

    return explain([], False, list(constraints))
