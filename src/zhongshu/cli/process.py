"""One process, by name: what the supervisor starts, and what can be started alone against a bus elsewhere."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from zhongshu.kernel.logs import setup_logs


async def run_process(
    name: str, plant: Path, data: Path, *, port: int | None, seed: int, truth: Path | None
) -> None:
    """Run it until SIGTERM or Ctrl-C, then end in good order."""
    setup_logs(name)
    main = asyncio.current_task()
    assert main is not None  # asyncio.run always makes one
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, main.cancel)
    try:
        await _start(name, plant, data, port=port, seed=seed, truth=truth)
    except asyncio.CancelledError:
        pass


async def _start(
    name: str, plant: Path, data: Path, *, port: int | None, seed: int, truth: Path | None
) -> None:
    match name:
        case "brain" | "historian" | "planner":
            from zhongshu.plant.processes import run_brain, run_historian, run_planner

            runs: dict[str, Callable[[Path, Path], Awaitable[None]]] = {
                "brain": run_brain,
                "historian": run_historian,
                "planner": run_planner,
            }
            await runs[name](plant, data)
        case "web":
            from zhongshu.web.serve import run_web

            await (run_web(plant, data) if port is None else run_web(plant, data, port=port))
        case "twin":
            from zhongshu.cli.twin_process import run_twin

            await run_twin(plant, data, seed=seed, truth=truth, port=port)
        case _:
            raise SystemExit(
                f"no process is called {name!r}; there are brain, historian, planner, web and twin"
            )
