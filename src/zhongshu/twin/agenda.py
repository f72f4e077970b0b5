"""What happens when: callbacks of machines and vehicles, in integer plant nanoseconds, on SimPy's event queue."""

from __future__ import annotations

from collections.abc import Callable

import simpy

from zhongshu.kernel.clock import NS


def ns(seconds: float) -> int:
    """Seconds as whole nanoseconds, never negative."""
    return max(0, round(seconds * NS))


class Ticket:
    """One callback that will happen at ``at_ns`` unless it is cancelled."""

    __slots__ = ("_call", "at_ns")

    def __init__(self, at_ns: int, call: Callable[[], None]) -> None:
        self.at_ns = at_ns
        self._call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Let nothing happen; harmless when it has happened already."""
        self._call = None

    def due(self, _event: object) -> None:
        """Called by SimPy."""
        call, self._call = self._call, None
        if call is not None:
            call()


class Agenda:
    """Plant time of the physical world; it moves only in ``advance``.

    Integer time keeps a plant day exact: a float of seconds since 1970 would round differently after a restart.
    """

    def __init__(self, now_ns: int) -> None:
        self._env = simpy.Environment(initial_time=now_ns)

    @property
    def now_ns(self) -> int:
        """Plant time, ns since 1970 UTC."""
        return int(self._env.now)

    def after(self, delay_ns: int, call: Callable[[], None]) -> Ticket:
        """Do ``call`` in ``delay_ns`` from now."""
        ticket = Ticket(self.now_ns + delay_ns, call)
        event = self._env.timeout(delay_ns)
        if event.callbacks is not None:  # SimPy's type; a fresh event always has its list
            event.callbacks.append(ticket.due)
        return ticket

    def advance(self, until_ns: int) -> None:
        """Let everything happen that is due up to ``until_ns``; a time in the past does nothing."""
        if until_ns <= self.now_ns:
            return
        arrived = self._env.timeout(until_ns - self.now_ns)
        while not arrived.processed:
            self._env.step()
