"""An event loop whose time stands still while anybody runs and jumps to the next timer when nobody does, and the clock on it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple, Unpack

from zhongshu.kernel.clock import NS

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
START_NS = 1_767_225_600 * NS


class NothingLeft(Exception):
    """Nobody runs and no timer is set: the rehearsal would wait for ever."""


class _Jumping(selectors.SelectSelector):
    """Instead of waiting, moves the time on by as much as there would have been to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.passed_ns = 0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None:
            raise NothingLeft
        self.passed_ns += max(1, math.ceil(timeout * NS))
        return ready


class _Timer(asyncio.TimerHandle):
    """Of two timers for the same moment the one set first comes first. asyncio's own have no order then: which comes first hangs
    on what other timers there are, so that one timeout more or less anywhere would make another day of a rehearsal."""

    __slots__ = ("turn",)
    turn: int
    _scheduled: bool  # asyncio's own: that it lies in the heap

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, _Timer):
            return NotImplemented
        mine, its = self.when(), other.when()
        return mine < its or (mine == its and self.turn < other.turn)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Timers, timeouts and sleeps of asyncio itself pass in virtual time; threads never run, so none can fall behind."""

    _scheduled: list[asyncio.TimerHandle]  # asyncio's own heap of timers

    def __init__(self) -> None:
        self._jumping = _Jumping()
        self._turns = itertools.count()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._jumping.passed_ns / NS

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As asyncio does, with an order among timers for the same moment."""
        timer = _Timer(when, callback, args, self, context)
        timer.turn = next(self._turns)
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True  # so that its cancellation is counted, which clears the heap of them
        return timer

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """What ``asyncio.to_thread`` hands over is done at once, where it stands; who waits for it goes on when others had a
        turn, as with a thread."""
        done: asyncio.Future[T] = self.create_future()
        result, failed = None, None
        try:
            result = func(*args)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the caller's
            failed = error
        self.call_soon(_settle, done, result, failed)
        return done

    @property
    def passed_ns(self) -> int:
        """The same, exactly."""
        return self._jumping.passed_ns


def _settle(done: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if done.cancelled():
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)


class LoopClock:
    """Wall time is the loop's; plant time runs ``speed`` times as fast. Both begin at ``start_ns``."""

    def __init__(self, loop: VirtualLoop, speed: float, start_ns: int = START_NS) -> None:
        self._loop, self.speed, self._start_ns = loop, speed, start_ns

    def now_ns(self) -> int:
        """Plant time now."""
        return self.to_plant_ns(self.wall_ns())

    def wall_ns(self) -> int:
        """Virtual wall time now."""
        return self._start_ns + self._loop.passed_ns

    def to_wall_ns(self, plant_ns: int) -> int:
        """Wall time of a plant time."""
        return self._start_ns + round((plant_ns - self._start_ns) / self.speed)

    def to_plant_ns(self, wall_ns: int) -> int:
        """Plant time of a wall time."""
        return self._start_ns + round((wall_ns - self._start_ns) * self.speed)

    async def sleep(self, plant_s: float) -> None:
        """In plant seconds."""
        await asyncio.sleep(max(0.0, plant_s / self.speed))

    async def sleep_wall(self, wall_s: float) -> None:
        """In wall seconds."""
        await asyncio.sleep(max(0.0, wall_s))


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run to the end on a loop of its own, in as little real time as the work takes."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work())
