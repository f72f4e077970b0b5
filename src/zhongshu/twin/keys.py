"""Keys a unit has answered, so that the same request again gets the same answer and does nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from zhongshu.model.commands import Answer, Outcome, Result

#: A unit forgets its oldest keys beyond this many; at one request a minute that is more than a week.
KEPT = 10_000


class Keys:
    """Key → answer of one unit, oldest first."""

    def __init__(self) -> None:
        self._answers: dict[int, tuple[int, str]] = {}
        self.last = (0, int(Result.OK))

    def known(self, key: int) -> Answer | None:
        """The answer that this key got, or None."""
        told = self._answers.get(key)
        return None if told is None else answer(Result(told[0]), told[1])

    def keep(self, key: int, result: Result, reason: str) -> None:
        """Remember what was answered; it is also what the command_key and command_result points show."""
        self._answers[key] = (int(result), reason)
        self.last = (key, int(result))
        if len(self._answers) > KEPT:
            del self._answers[next(iter(self._answers))]

    def dump(self, *, answers: bool) -> dict[str, Any]:
        """Plain values for a snapshot, with or without what was answered."""
        return {"last": list(self.last), "answers": [[*told] for told in self.answers()] if answers else []}

    def answers(self) -> Iterator[tuple[int, int, str]]:
        """(key, result, reason), oldest first."""
        for key, (result, reason) in self._answers.items():
            yield key, result, reason

    def load(self, answers: Iterable[Sequence[Any]], last: Sequence[int]) -> None:
        """Become what ``dump`` saw."""
        self._answers = {int(key): (int(result), str(reason)) for key, result, reason in answers}
        self.last = (int(last[0]), int(last[1]))

    def learn(self, key: int, result: int, reason: str) -> None:
        """A key answered in an earlier life; unlike ``keep`` it is not what the points show."""
        self._answers[key] = (result, reason)


def answer(result: Result, reason: str = "", t_ns: int = 0) -> Answer:
    """What goes back over the wire for a result."""
    return Answer(Outcome.ACCEPTED if result is Result.OK else Outcome.REFUSED, result, reason, t_ns)
