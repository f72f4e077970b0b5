"""Keeps the processes of a brain alive: starts them in order, restarts what dies, stops them in reverse."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from zhongshu.kernel.clock import monotonic_s
from zhongshu.kernel.family import Family, Process
from zhongshu.kernel.rotation import rotate

log = logging.getLogger(__name__)

BACK_OFF_S = 0.2
BACK_OFF_LIMIT_S = 5.0
#: After so long without dying a child counts as healthy, and its next restart comes fast again.
HEALTHY_S = 30.0
READY_POLL_S = 0.1
#: A child not ready by then is killed and started again.
READY_LIMIT_S = 60.0
HEALTH_POLL_S = 2.0
ROTATE_S = 1.0


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep alive. ``ready`` says when those that come ``after`` it may start (None: as soon as it runs).

    ``healthy`` is asked every two seconds from then on; at the first no the process is stopped and started again.
    It is asked to end with SIGTERM and killed after ``stop_timeout_s``. ``env`` is added to the supervisor's own.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], Awaitable[bool]] | None = None
    stop_timeout_s: float = 10.0
    after: Sequence[str] = ()
    healthy: Callable[[], Awaitable[bool]] | None = None


class ChildState(StrEnum):
    """Where a child stands."""

    WAITING = "waiting"  # for those it comes after
    STARTING = "starting"  # it runs, but is not ready
    READY = "ready"
    BACKING_OFF = "backing_off"  # it died and will be started again
    STOPPED = "stopped"


@dataclass(slots=True)
class ChildStatus:
    """What became of a child so far; ``last_exit`` is an exit code, negative for a signal."""

    name: str
    state: ChildState = ChildState.WAITING
    pid: int | None = None
    restarts: int = 0
    last_exit: int | None = None


class Supervisor:
    """``await run()`` starts everything and returns once everything is stopped: by SIGINT, SIGTERM or ``request_stop``.

    Children get sessions of their own, so Ctrl-C reaches only this process. Their output goes to ``<logs>/<name>.log``.
    Nothing of them is left however this process ends. Run it in the main thread.
    """

    def __init__(self, children: Sequence[Child], *, logs: Path) -> None:
        self._levels = _levels(children)
        self._kept = {child.name: _Kept(child, logs / f"{child.name}.log") for child in children}
        self._stop = asyncio.Event()

    def status(self) -> dict[str, ChildStatus]:
        """How every child stands, by name."""
        return {name: kept.status for name, kept in self._kept.items()}

    def figures(self) -> dict[str, object]:
        """The same as plain values, for ``kernel.health``."""
        return {
            name: {"state": str(s.state), "pid": s.pid, "restarts": s.restarts, "last_exit": s.last_exit}
            for name, s in self.status().items()
        }

    async def wait_ready(self) -> None:
        """Until every child has become ready."""
        for kept in self._kept.values():
            await kept.ready.wait()

    def request_stop(self) -> None:
        """Stop everything in good order; asked a second time, at once."""
        if self._stop.is_set():
            for kept in self._kept.values():
                kept.kill()
        self._stop.set()

    async def run(self) -> None:
        """Start, keep alive, stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.request_stop)
        family = Family()
        rotating = asyncio.create_task(self._rotate(), name="rotate logs")
        try:
            for kept in self._kept.values():
                kept.begin(family, [self._kept[name].ready for name in kept.child.after])
            await self._stop.wait()
            await self._stop_all()
        finally:
            rotating.cancel()
            for kept in self._kept.values():
                kept.abandon()
            family.close()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def _stop_all(self) -> None:
        """Those that nobody waits for first; those of one level together."""
        for level in reversed(self._levels):
            await asyncio.gather(*(self._kept[name].stop() for name in level))

    async def _rotate(self) -> None:
        while True:
            await asyncio.sleep(ROTATE_S)
            for kept in self._kept.values():
                try:
                    rotate(kept.log_file)
                except OSError as error:
                    log.warning("%s cannot be rotated: %s", kept.log_file, error)


class _Kept:
    """One child with its present process, and the task that keeps it alive."""

    def __init__(self, child: Child, log_file: Path) -> None:
        self.child = child
        self.log_file = log_file
        self.status = ChildStatus(child.name)
        self.ready = asyncio.Event()
        self._process: Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._abandoned = False

    def begin(self, family: Family, after: Sequence[asyncio.Event]) -> None:
        """Keep it alive from now on."""
        self._task = asyncio.create_task(self._keep(family, after), name=f"keep {self.child.name}")

    async def stop(self) -> None:
        """End it for good, in good order."""
        self.abandon()
        self.ready.clear()
        if self._process is not None and self._process.code is None:
            began = monotonic_s()
            self.status.last_exit = await self._process.stop(self.child.stop_timeout_s)
            log.info(
                "%s stopped within %.1f s (exit %s)",
                self.child.name,
                monotonic_s() - began,
                self.status.last_exit,
            )
        self.status.pid = None
        self.status.state = ChildState.STOPPED

    def kill(self) -> None:
        """End the present process at once."""
        if self._process is not None:
            self._process.kill()

    def abandon(self) -> None:
        """No longer restart it."""
        self._abandoned = True  # a cancellation alone may be swallowed by what `ready` calls
        if self._task is not None:
            self._task.cancel()

    async def _keep(self, family: Family, after: Sequence[asyncio.Event]) -> None:
        back_off_s = BACK_OFF_S
        while True:
            self.status.state = ChildState.WAITING
            for other in after:
                await other.wait()
            began = monotonic_s()
            how = await self._live(family)
            if self._abandoned:
                return
            if monotonic_s() - began >= HEALTHY_S:
                back_off_s = BACK_OFF_S
            self.status.state = ChildState.BACKING_OFF
            log.warning(
                "%s %s, starting it again in %.1f s; see %s", self.child.name, how, back_off_s, self.log_file
            )
            await asyncio.sleep(back_off_s)
            back_off_s = min(back_off_s * 2, BACK_OFF_LIMIT_S)
            self.status.restarts += 1

    async def _live(self, family: Family) -> str:
        """One life of the process, from start to end; returns how it ended, in words for the log."""
        try:
            self._process = family.start(self.child.argv, env=self.child.env, log=self.log_file)
        except OSError as error:
            return f"cannot be started ({error})"
        self.status.pid = self._process.pid
        self.status.state = ChildState.STARTING
        log.info("%s started (pid %d)", self.child.name, self._process.pid)
        ended = asyncio.create_task(self._process.ended())
        try:
            await self._become_ready(ended)
            await self._stay_healthy(ended)
            code = await ended
        finally:
            ended.cancel()
        self.ready.clear()
        self.status.pid = None
        self.status.last_exit = code
        return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"

    async def _become_ready(self, ended: asyncio.Task[int]) -> None:
        until = monotonic_s() + READY_LIMIT_S
        while not ended.done():
            if await self._says(self.child.ready):
                self.status.state = ChildState.READY
                self.ready.set()
                return
            if monotonic_s() > until:
                log.error("%s is not ready after %.0f s and is killed", self.child.name, READY_LIMIT_S)
                self.kill()
                return
            await asyncio.wait([ended], timeout=READY_POLL_S)

    async def _stay_healthy(self, ended: asyncio.Task[int]) -> None:
        while not ended.done() and self._process is not None:
            await asyncio.wait([ended], timeout=HEALTH_POLL_S if self.child.healthy else None)
            if not ended.done() and not await self._says(self.child.healthy):
                log.error("%s runs but cannot work and is stopped", self.child.name)
                await self._process.stop(self.child.stop_timeout_s)

    async def _says(self, question: Callable[[], Awaitable[bool]] | None) -> bool:
        if question is None:
            return True
        try:
            return await question()
        except Exception:
            log.exception("%s: asking how it is failed", self.child.name)
            return False


def _levels(children: Sequence[Child]) -> list[tuple[str, ...]]:
    """Names by level: each comes after some of the level before. Raises ValueError for unknown names and circles."""
    names = {child.name for child in children}
    if len(names) != len(children):
        raise ValueError("two children have the same name")
    unknown = {name for child in children for name in child.after} - names
    if unknown:
        raise ValueError(f"children come after unknown ones: {', '.join(sorted(unknown))}")
    order = TopologicalSorter({child.name: set(child.after) for child in children})
    try:
        order.prepare()
    except CycleError as error:
        raise ValueError(f"children wait for one another: {' → '.join(error.args[1])}") from error
    levels = []
    while order.is_active():
        level = order.get_ready()
        levels.append(level)
        order.done(*level)
    return levels
