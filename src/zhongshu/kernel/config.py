"""Where one plant keeps its state and on which ports it listens: read by every process, written at first start."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from zhongshu.kernel.strings import strings_of

DATA_VARIABLE = "ZHONGSHU_DATA"
STORE_VARIABLE = "ZHONGSHU_STORE"
PORT_VARIABLE = "ZHONGSHU_PORT_{}"


class ConfigError(Exception):
    """Something a person must put right; ``text`` says what and how in both languages."""

    def __init__(self, key: str, **values: Any) -> None:
        self.key = key
        self.values = values
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """What is wrong and what remedies it."""
        return strings_of("zhongshu.kernel").text(self.key, language, **self.values)


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports on loopback, below the range that systems hand out by themselves; ``monitor`` 0 leaves it off."""

    bus: int = 14222
    mqtt: int = 11883
    web: int = 18420
    monitor: int = 0

    @classmethod
    def of(cls, settings: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Self:
        """From ``settings.ports`` of plant.yaml, then ZHONGSHU_PORT_BUS and so on, which win; raises ConfigError."""
        environ = os.environ if environ is None else environ
        chosen: dict[str, int] = {}
        for name in (field.name for field in fields(cls)):
            key, variable = f"settings.ports.{name}", PORT_VARIABLE.format(name.upper())
            for where, value in ((key, (settings or {}).get(name)), (variable, environ.get(variable))):
                if value is not None:
                    chosen[name] = _port(where, value)
        return cls(**chosen)


def _port(where: str, value: object) -> int:
    try:
        port = int(str(value))
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise ConfigError("config.port-value", where=where, value=value)
    return port


@dataclass(frozen=True, slots=True)
class BusAccess:
    """How to reach the bus, and the broker that it is for MQTT devices. ``url`` holds no password."""

    url: str
    user: str
    password: str
    mqtt_host: str
    mqtt_port: int

    def __repr__(self) -> str:
        """Without the password, so that no log ever holds it."""
        return f"BusAccess({self.url!r}, user={self.user!r}, mqtt={self.mqtt_host}:{self.mqtt_port})"


def save_access(secrets: Path, access: BusAccess) -> None:
    """Write ``bus.json`` for the other processes of the plant, readable by this user only."""
    write_private(secrets / "bus.json", json.dumps(asdict(access), indent=2))


def load_access(secrets: Path) -> BusAccess:
    """Read ``bus.json``; raises ConfigError where the bus of this data directory was never started."""
    path = secrets / "bus.json"
    try:
        return BusAccess(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise ConfigError("config.no-access", path=path) from error
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError("config.bad-access", path=path, error=error) from error


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, readable by this user only from its first byte on."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


class DataDir:
    """The one directory that holds a plant's state; made with mode 0700 where it is missing.

    Which one: ``path`` (the option ``--data``), else ZHONGSHU_DATA, else ``./.zhongshu``.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        self.path = Path(path or os.environ.get(DATA_VARIABLE) or ".zhongshu").expanduser().absolute()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.secrets, self.history, self.bus, self.logs):
                folder.mkdir(mode=0o700, exist_ok=True)
            self.secrets.chmod(0o700)
        except OSError as error:
            raise ConfigError(
                "config.data-dir", path=self.path, error=error.strerror, variable=DATA_VARIABLE
            ) from error

    @property
    def secrets(self) -> Path:
        """Passwords, keys and certificates; mode 0700."""
        return self.path / "secrets"

    @property
    def history(self) -> Path:
        """The historian's tables."""
        return self.path / "history"

    @property
    def bus(self) -> Path:
        """What the bus server keeps."""
        return self.path / "bus"

    @property
    def logs(self) -> Path:
        """What the processes wrote to their outputs."""
        return self.path / "logs"

    @property
    def store_url(self) -> str:
        """SQLAlchemy's URL of the store: what ZHONGSHU_STORE names, else ``secrets/store.url``, else SQLite in here.

        It may hold a password, so it comes from no argument that every user of the machine could read.
        """
        named = os.environ.get(STORE_VARIABLE, "").strip()
        if not named and self.store_file.exists():
            named = self.store_file.read_text(encoding="utf-8").strip()
        return named or f"sqlite:///{self.path / 'store.db'}"

    @property
    def store_file(self) -> Path:
        """Where the URL of a store elsewhere stands, such as ``postgresql://user:password@host/database``."""
        return self.secrets / "store.url"

    @property
    def clock_file(self) -> Path:
        """The plant's clock, for ``kernel.clock.load_clock``."""
        return self.path / "clock.json"

    def log(self, name: str) -> Path:
        """The log file of a process."""
        return self.logs / f"{name}.log"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold this directory as the one brain in it; raises ConfigError, naming the other one, where it is held.

        The system lets go of the lock when its holder ends, however it ends, so none is ever left behind.
        """
        path = self.path / "lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                pid = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "?"
                raise ConfigError("config.locked", path=self.path, pid=pid, variable=DATA_VARIABLE) from error
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(descriptor)
