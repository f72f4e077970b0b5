"""The disk of the bus runs full while a stage publishes; once there is room again the bus works by itself."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.ports import low_port
from zhongshu.kernel import supervisor as supervising
from zhongshu.kernel.bus import BusError
from zhongshu.kernel.config import DataDir, Ports, load_access
from zhongshu.kernel.nats_bus import NatsBus
from zhongshu.kernel.nats_server import DiskWatch, bus_child
from zhongshu.kernel.supervisor import Supervisor
from zhongshu.model import subjects

pytestmark = pytest.mark.faults

LINE = subjects.points("p", "line1")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 96 MiB of its own; the test is skipped where we may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            pass


async def test_a_full_disk_is_survived(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "HEALTH_POLL_S", 0.2)
    data = DataDir(small_disk / "plant")
    keeper = Supervisor([bus_child(data, Ports(bus=low_port(), mqtt=low_port()))], logs=data.logs)
    running = asyncio.create_task(keeper.run())
    await asyncio.wait_for(keeper.wait_ready(), 15)
    bus = await NatsBus.connect(load_access(data.secrets), name="test")
    confirmed = {"before": await bus.publish(LINE, b"before", msg_id="before")}

    fill(small_disk / "filler")
    with pytest.raises(BusError):
        await bus.publish(LINE, bytes(100_000), msg_id="after")
    assert keeper.status()["bus"].restarts == 0  # no use while the disk is full
    (small_disk / "filler").unlink()

    async with asyncio.timeout(30):
        while "after" not in confirmed:
            try:
                confirmed["after"] = await bus.publish(LINE, bytes(100_000), msg_id="after")
            except BusError:
                await asyncio.sleep(0.1)
    assert confirmed == {"before": 1, "after": 2}
    assert keeper.status()["bus"].restarts == 1
    async with aclosing(bus.replay(subjects.POINTS, after=0)) as replay:
        assert [len((await anext(replay)).payload) for _ in range(2)] == [6, 100_000]
    await bus.close()
    keeper.request_stop()
    await asyncio.wait_for(running, 20)


async def test_the_watch_reads_only_what_is_new_and_bears_rotation(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    log = data.log("bus")
    bad = b"[1] 2026/11/23 03:42:41 [ERR] Filestore [POINTS] Critical write error: write x: no space left on device\n"
    log.write_bytes(bad)
    watch = DiskWatch(data)
    assert await watch()  # that was before it began to look
    with log.open("ab") as file:
        file.write(b"[1] 2026/11/23 03:42:41 [INF] Server is ready\n")
    assert await watch()
    with log.open("ab") as file:
        file.write(bad)
    assert not await watch()
    assert await watch()
    log.write_bytes(bad)  # rotated, and failed again
    assert not await watch()
    assert await watch()
