"""How long a worker may go on: rounds until the next look at the clock, or what is left of a limit of rounds."""

from __future__ import annotations

import threading

from zhongshu.kernel.clock import monotonic_s

#: A worker looks at the clock about this often.
SLICE_S = 0.01
#: One that stands aside looks about this often whether it may go on.
ASIDE_S = 0.02


class UntilTime:
    """Rounds that fit into the next slice by the speed seen so far; 0 after the deadline or once ``stop`` is set.

    While ``aside`` is set, the worker waits here.
    """

    def __init__(
        self, deadline_s: float, stop: threading.Event, aside: threading.Event | None = None
    ) -> None:
        self._deadline_s, self._stop, self._aside = deadline_s, stop, aside
        self._asked_s = monotonic_s()
        self._round_s = 0.0

    def __call__(self, made: int) -> int:
        """So many rounds may follow those just made."""
        now_s = monotonic_s()
        if made:
            seen_s = (now_s - self._asked_s) / made
            self._round_s = seen_s if self._round_s == 0 else 0.7 * self._round_s + 0.3 * seen_s
        now_s = self._stand_aside(now_s)
        self._asked_s = now_s
        left_s = self._deadline_s - now_s
        if left_s <= 0 or self._stop.is_set():
            return 0
        if self._round_s == 0:
            return 4
        return max(1, int(min(SLICE_S, left_s) / self._round_s))

    def _stand_aside(self, now_s: float) -> float:
        """The time at which the worker may go on, or has no more time."""
        while self._aside is not None and self._aside.is_set() and now_s < self._deadline_s:
            if self._stop.wait(ASIDE_S):
                break
            now_s = monotonic_s()
        return now_s


class UntilRounds:
    """A fixed number of rounds, whatever the clock says; ``stop`` only ends what nobody waits for any more."""

    #: A worker can be told to stop about this often.
    SLICE = 5_000

    def __init__(self, rounds: int, stop: threading.Event) -> None:
        self._left, self._stop = rounds, stop

    def __call__(self, made: int) -> int:
        """So many rounds may follow those just made."""
        # A descent that ends at once still costs its start: it counts as a round, or a tiny shop would never end.
        self._left -= max(1, made)
        return 0 if self._stop.is_set() else max(0, min(self._left + 1, self.SLICE))
