"""Starts processes that cannot outlive the one that started them, not even when that one is killed."""

from __future__ import annotations

import asyncio
import ctypes
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from zhongshu.kernel import guard
from zhongshu.kernel.guard import FAMILY_VARIABLE, kill_family, kill_group

POLL_S = 0.05
#: How long a killed process may take to be gone; more means that the system holds it.
KILLED_S = 5.0
_PR_SET_PDEATHSIG = 1
# Looked up here, because between fork and exec nothing may be imported or allocated by the loader.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Process:
    """One started process, leader of its own session and group; its output goes to a file."""

    def __init__(self, popen: subprocess.Popen[bytes], mark: str, gone: Callable[[int], None]) -> None:
        self.pid = popen.pid
        self._popen = popen
        self._mark = mark
        self._gone = gone

    @property
    def code(self) -> int | None:
        """Exit code, negative for a signal, None while it runs."""
        return self._popen.returncode

    async def ended(self) -> int:
        """Wait for the end; whatever the process itself had started is killed then. Returns the exit code."""
        while self._popen.returncode is None:
            # The dead process is looked at before it is taken away: until then nobody else can get its number.
            if not self._dead():
                await asyncio.sleep(POLL_S)
                continue
            self._sweep()
        return self._popen.returncode

    def terminate(self) -> None:
        """Ask it to end (SIGTERM); what it started is its own to end."""
        if self._popen.returncode is None:
            self._popen.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and all it started, at once."""
        if self._popen.returncode is None:
            kill_group(self.pid)

    async def stop(self, timeout_s: float) -> int:
        """Ask, wait for at most ``timeout_s``, kill. Returns the exit code."""
        self.terminate()
        try:
            async with asyncio.timeout(timeout_s):
                return await self.ended()
        except TimeoutError:
            self.kill()
        async with asyncio.timeout(KILLED_S):
            return await self.ended()

    def _dead(self) -> bool:
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _sweep(self) -> None:
        kill_group(self.pid)
        self._popen.wait()
        kill_family(self._mark)
        self._gone(self.pid)


class Family:
    """Processes that end with this one: by its wish, by Ctrl-C, by SIGTERM or by kill -9, their own children included.

    Linux kills a child the moment the thread that started it ends, so start them from the main thread. A guard process
    sees to the rest: to what the children had started, and to systems other than Linux.
    """

    def __init__(self) -> None:
        self._token = secrets.token_hex(8)
        self._count = 0
        self._alive: set[int] = set()
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, log: Path) -> Process:
        """Start a process with its output appended to ``log``; ``env`` is added to ours. Raises OSError."""
        self._count += 1
        mark = f"{FAMILY_VARIABLE}{self._token}_{self._count}"
        everything = {**os.environ, **(env or {}), f"{FAMILY_VARIABLE}{self._token}": "1", mark: "1"}
        self._ensure_guard()
        with log.open("ab") as output:
            popen = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=everything,
                start_new_session=True,  # Ctrl-C reaches this process only, which then stops the others in order
                # One system call on a library that is loaded already: nothing that another thread could hold locked.
                preexec_fn=_bound_to(os.getpid()),  # noqa: PLW1509
            )
        self._alive.add(popen.pid)
        self._tell(f"+{popen.pid}")
        return Process(popen, mark, self._gone)

    def close(self) -> None:
        """Kill whatever still runs and let the guard go."""
        for group in tuple(self._alive):
            kill_group(group)
        if self._guard is not None:
            if self._guard.stdin:
                self._guard.stdin.close()
            try:
                self._guard.wait(KILLED_S)
            except subprocess.TimeoutExpired:
                self._guard.kill()
                self._guard.wait()
            self._guard = None

    def _gone(self, pid: int) -> None:
        self._alive.discard(pid)
        self._tell(f"-{pid}")

    def _ensure_guard(self) -> None:
        """Start the guard, again if somebody killed it, and tell it who is alive."""
        if self._guard is not None and self._guard.poll() is None:
            return
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, f"{FAMILY_VARIABLE}{self._token}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for pid in self._alive:
            self._tell(f"+{pid}")

    def _tell(self, line: str) -> None:
        if self._guard is None or self._guard.stdin is None:
            return
        try:
            self._guard.stdin.write(f"{line}\n".encode())
            self._guard.stdin.flush()
        except OSError:
            pass  # the next start makes a new guard, which is told of everybody


def _bound_to(parent: int) -> Callable[[], None] | None:
    """What a child does between fork and exec: ask to be killed with ``parent``, which may just have ended already."""
    libc = _libc
    if libc is None:
        return None

    def bind() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return bind
