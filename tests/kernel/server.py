"""A real bus server for tests, which can be killed and started again."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from pathlib import Path

from zhongshu.kernel.config import BusAccess, DataDir, Ports
from zhongshu.kernel.nats_bus import NatsBus
from zhongshu.kernel.nats_server import StreamLimits, ensure_streams, find_server, prepare, settings_file

SMALL = StreamLimits(points_bytes=256 << 20, events_bytes=64 << 20)


class Server:
    """One server in one data directory, on the same ports at every start."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        self.data = DataDir(folder)
        self.access: BusAccess = prepare(self.data, ports)
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, limits: StreamLimits = SMALL) -> None:
        self.launch()
        bus = await self.connect("setup")
        await ensure_streams(bus, None, limits)
        await bus.close()

    def launch(self) -> None:
        with self.data.log("bus").open("ab") as log:
            argv = [str(find_server()), "-c", str(settings_file(self.data))]
            self._process = subprocess.Popen(argv, stdout=log, stderr=log)

    async def connect(self, name: str = "test") -> NatsBus:
        return await NatsBus.connect(self.access, name=name)

    def kill(self) -> None:
        """Like kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self, stopped: bool) -> None:
        """SIGSTOP or SIGCONT: the machine hangs and comes back."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if stopped else signal.SIGCONT)

    async def blink(self, seconds: float) -> None:
        """Die, stay away, come back."""
        self.kill()
        await asyncio.sleep(seconds)
        self.launch()
