"""A small process that outlives a killed supervisor for a moment, to kill whatever that one had started.

It is run as a script of its own, so it imports nothing of ours. Its standard input is a pipe from the supervisor:
``+<group>`` and ``-<group>`` lines name the process groups alive; the end of the pipe means that the supervisor is gone.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

#: Every process of a family carries a variable of this name plus the family's token, inherited by whatever it starts.
FAMILY_VARIABLE = "ZHONGSHU_FAMILY_"
ROUNDS = 5


def kill_group(group: int) -> None:
    """Kill a process group, if there is one."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def family(mark: str) -> list[int]:
    """Processes whose environment holds the variable ``mark`` (Linux; elsewhere none are found, groups must do)."""
    wanted = f"{mark}=".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        try:
            variables = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # it ended meanwhile, or is another user's
        if any(variable.startswith(wanted) for variable in variables):
            found.append(int(process.name))
    return found


def kill_family(mark: str) -> None:
    """Kill everything that carries ``mark``, again until none is left, since the last may just have started more."""
    for _ in range(ROUNDS):
        members = family(mark)
        if not members:
            return
        for member in members:
            try:
                os.kill(member, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        time.sleep(0.05)


def main(mark: str) -> None:
    """Wait for the end of standard input, then kill."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # only the supervisor's end ends us
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        kill_group(group)
    kill_family(mark)


if __name__ == "__main__":
    main(sys.argv[1])
