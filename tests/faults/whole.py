"""A whole demo in processes of its own, on ports and in a folder of its own, for tests that hurt it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zhongshu.cli.attach import NotRunning, attach
from zhongshu.kernel.bus import BusError
from zhongshu.kernel.config import ConfigError
from zhongshu.kernel.health import gather
from zhongshu.kernel.status import summary
from zhongshu.twin.control import ask

#: Figures by process name, as ``kernel.health.gather`` gives them.
Health = dict[str, dict[str, Any]]
ROOT = Path(__file__).parents[2]
KITCHEN = ROOT / "plants" / "kitchen"


def moved_plant(folder: Path, port: Callable[[], int]) -> Path:
    """The kitchen plant on ports that nobody else uses, every sample kept (no deadbands), so that counting is exact."""
    text = (KITCHEN / "plant.yaml").read_text(encoding="utf-8")
    text = re.sub(r" deadband: [\d.]+,", "", text)
    opc = _free_run(port, 12)
    text = re.sub(
        r"opc\.tcp://127\.0\.0\.1:\{n\+24(\d\d\d)\}",
        lambda m: f"opc.tcp://127.0.0.1:{{n+{opc + int(m[1]) - 400}}}",
        text,
    )
    text = re.sub(
        r"opc\.tcp://127\.0\.0\.1:24(\d\d\d)", lambda m: f"opc.tcp://127.0.0.1:{opc + int(m[1]) - 400}", text
    )
    for modbus in sorted(set(re.findall(r"port: (150\d\d)", text))):
        text = text.replace(f"port: {modbus}", f"port: {port()}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plant.yaml").write_text(text, encoding="utf-8")
    (folder / "twin.yaml").write_bytes((KITCHEN / "twin.yaml").read_bytes())
    return folder / "plant.yaml"


def _free_run(port: Callable[[], int], count: int) -> int:
    """The first of so many ports in a row that are likely free: a block high above one that is."""
    import socket

    for _ in range(50):
        first = port() // 100 * 100
        try:
            for number in range(first, first + count + 1):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
            return first
        except OSError:
            continue
    raise RuntimeError("no free block of ports")


class Demo:
    """A running demo; every wait has a limit and says what it saw last."""

    def __init__(self, folder: Path, port: Callable[[], int], speed: float = 10.0) -> None:
        self.folder, self.data, self.truth = folder, folder / "data", folder / "truth"
        self.plant_file = moved_plant(folder / "plant", port)
        self._speed = speed
        self.env = {
            **os.environ,
            "ZHONGSHU_PORT_BUS": str(port()),
            "ZHONGSHU_PORT_MQTT": str(port()),
            "ZHONGSHU_PORT_WEB": str(port()),
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def web(self) -> int:
        """The control room's port."""
        return int(self.env["ZHONGSHU_PORT_WEB"])

    def start(self) -> None:
        """Start it; returns at once."""
        command = [sys.executable, "-m", "zhongshu.cli.main", "demo", "--no-story", "--data", str(self.data)]
        command += ["--plant", str(self.plant_file), "--truth", str(self.truth), "--speed", str(self._speed)]
        with (self.folder / "out.txt").open("ab") as out:
            self.process = subprocess.Popen(command, env=self.env, cwd=ROOT, stdout=out, stderr=out)

    def stop(self, limit_s: float = 40.0) -> int:
        """Ctrl-C, and the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    async def health(self, seconds: float = 1.3) -> dict[str, dict[str, Any]]:
        """Each process's own figures."""
        async with attach(self.data) as here:
            return await gather(here.bus, here.plant_id, seconds)

    async def until(self, told: Callable[[Health], bool], limit_s: float) -> float:
        """Wait until the processes tell so; returns the seconds it took."""
        began, last = time.monotonic(), None
        while time.monotonic() - began < limit_s:
            assert self.process is not None and self.process.poll() is None, self.output()
            try:
                last = await self.health(1.05)
            except (
                NotRunning,
                BusError,
                ConfigError,
                OSError,
            ) as error:  # the bus itself may be the one that was killed
                last = {"error": repr(error)}
            else:
                if told(last):
                    return time.monotonic() - began
            await asyncio.sleep(0.2)
        raise AssertionError(f"not within {limit_s} s; last: {json.dumps(last)[:3000]}\n{self.output()}")

    def fault(self, kind: str, target: str, value: float | None = None) -> None:
        """Let something go wrong in the twin."""
        answer = ask(self.data, {"op": "fault", "kind": kind, "target": target, "value": value})
        assert answer.get("ok"), answer

    def pid(self, name: str) -> int:
        """The process's id, from the operating system."""
        mark = "nats-server" if name == "bus" else f"process {name}"
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if mark in words and str(self.data) in words:
                return int(path.parent.name)
        raise LookupError(f"no process {name} on {self.data}")

    def kill(self, name: str) -> None:
        """kill -9."""
        os.kill(self.pid(name), signal.SIGKILL)

    def left_behind(self) -> list[str]:
        """Processes that still carry this demo's folder in their arguments."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if str(self.folder) in words and int(path.parent.name) != os.getpid() and "pytest" not in words:
                found.append(words)
        return found

    def output(self) -> str:
        """The end of what the parent printed."""
        return (self.folder / "out.txt").read_text(errors="replace")[-3000:]


def all_connected(health: Health) -> bool:
    """Every device sends values, every point is Good, every connection stands with every unit behind it, and no process is silent."""
    status = summary(health)
    devices, points = status["devices"], status["points"]
    if status["silent"] or not devices["total"] or devices["connected"] != devices["total"]:
        return False
    if points["good"] != points["total"]:
        return False
    connections = health["brain"]["sense"]["connections"].values()
    return all(c["connected"] and c["units_up"] == c["units"] for c in connections)


def nothing_unknown(health: Health) -> bool:
    """Every command has its proof, or was refused."""
    return bool(summary(health)["commands"]["unknown"] == 0)
