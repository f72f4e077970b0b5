"""Run as a process of its own: a supervisor with a few children, as the brain is, for tests that kill it.

``family_like.py parent <folder>`` supervises; ``family_like.py child <folder> <name> [habit …]`` is supervised.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from zhongshu.kernel.supervisor import Child, Supervisor


def note(folder: Path, line: str) -> None:
    with (folder / "order.txt").open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def child(folder: Path, name: str, habits: list[str]) -> None:
    """Lives until SIGTERM. Habits: ``stubborn`` ignores it, ``parent`` and ``escaped`` have children of their own."""
    note(folder, f"+{name}")

    def end(*_: object) -> None:
        time.sleep(0.1)
        note(folder, f"-{name}")
        sys.exit(0)

    signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in habits else end)
    sleeper = [
        sys.executable,
        "-c",
        "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)",
    ]
    if "parent" in habits:
        subprocess.Popen(sleeper)
    if "escaped" in habits:
        subprocess.Popen(sleeper, start_new_session=True)
    (folder / f"{name}.{os.getpid()}.ready").touch()
    while True:
        time.sleep(600)


async def parent(folder: Path) -> None:
    children = []
    for spec in json.loads((folder / "children.json").read_text()):
        name = spec["name"]

        async def ready(name: str = name) -> bool:
            return (folder / f"{name}.{supervisor.status()[name].pid}.ready").exists()

        argv = (sys.executable, __file__, "child", str(folder), name, *spec.get("habits", ()))
        made = Child(
            name,
            argv,
            ready=ready,
            stop_timeout_s=spec.get("stop_timeout_s", 5.0),
            after=spec.get("after", ()),
        )
        children.append(made)
    supervisor = Supervisor(children, logs=folder)
    writing = asyncio.create_task(write_status(folder, supervisor))
    await supervisor.run()
    writing.cancel()
    note(folder, "end")


async def write_status(folder: Path, supervisor: Supervisor) -> None:
    while True:
        draft = folder / "status.draft"
        draft.write_text(json.dumps(supervisor.figures()))
        draft.replace(folder / "status.json")
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    if sys.argv[1] == "parent":
        asyncio.run(parent(Path(sys.argv[2])))
    else:
        child(Path(sys.argv[2]), sys.argv[3], sys.argv[4:])
