"""A plant without machines: the real bus, the pretended brain, the real historian and the real control room, as processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from zhongshu.kernel.config import DataDir, Ports, load_access
from zhongshu.kernel.nats_bus import NatsBus
from zhongshu.kernel.nats_server import ensure_streams, find_server, prepare, settings_file

ROOT = Path(__file__).resolve().parents[2]
KITCHEN = ROOT / "plants/kitchen/plant.yaml"
MINIMAL = ROOT / "plants/minimal/plant.yaml"


def run_apart(work: Coroutine[Any, Any, None]) -> None:
    """Run it to its end on a loop of its own, also where this thread's loop is a browser's."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


class Lab:
    """Starts its processes one by one and ends exactly those."""

    def __init__(self, plant: Path, data: Path, free_port: Callable[[], int]) -> None:
        self.plant, self.data = plant, DataDir(data)
        self.port = free_port()
        self.ports = Ports(bus=free_port(), mqtt=free_port(), web=self.port)
        self.url = f"http://127.0.0.1:{self.port}"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *, historian: bool = False, still: bool = True) -> None:
        """Bus, brain (pretended), control room."""
        prepare(self.data, self.ports)
        self._run("bus", [str(find_server()), "-c", str(settings_file(self.data))])
        run_apart(self._streams())
        where = [str(self.plant), str(self.data.path)]
        if historian:
            self._run("historian", self._ours("historian"))
        self._run(
            "pretend", [sys.executable, "-m", "tests.web.pretend", *where, *(["--still"] if still else [])]
        )
        self.start_web()

    def start_web(self) -> None:
        """The control room, until it answers."""
        self._run("web", [*self._ours("web"), "--port", str(self.port)])
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.url}/api/status", timeout=2).read()
            except OSError:
                if self._processes["web"].poll() is not None:
                    break
                time.sleep(0.1)
            else:
                return
        raise AssertionError(f"the control room does not answer:\n{self.log('web')}")

    def stop(self, name: str) -> None:
        """End one process in good order."""
        process = self._processes.pop(name)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        """End all, the bus last."""
        for name in reversed(list(self._processes)):
            self.stop(name)

    def pid(self, name: str) -> int:
        """Process id."""
        return self._processes[name].pid

    def log(self, name: str) -> str:
        """What a process wrote."""
        return self.data.log(name).read_text(errors="replace")

    def token(self) -> str:
        """The API token."""
        return (self.data.secrets / "api.token").read_text().strip()

    def _ours(self, name: str) -> list[str]:
        place = ["--plant", str(self.plant), "--data", str(self.data.path)]
        return [sys.executable, "-m", "zhongshu.cli.main", "process", name, *place]

    def _run(self, name: str, argv: list[str]) -> None:
        with self.data.log(name).open("ab") as out:
            self._processes[name] = subprocess.Popen(argv, cwd=ROOT, stdout=out, stderr=out)

    async def _streams(self) -> None:
        bus = await NatsBus.connect(load_access(self.data.secrets), name="lab")
        await ensure_streams(bus)
        await bus.close()
