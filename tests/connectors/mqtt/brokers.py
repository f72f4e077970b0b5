"""Real brokers for the MQTT tests: the NATS server that the brain brings, and Debian's mosquitto, which others wrote."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sysconfig
from pathlib import Path
from types import TracebackType
from typing import Any, Self

USER, PASSWORD = "tester", "a-password-for-tests"

_NATS = """\
server_name: "test"
listen: "127.0.0.1:-1"
jetstream {{ store_dir: "{store}", max_memory_store: 16MB, max_file_store: 256MB }}
authorization {{ users: [ {{ user: "{user}", password: "{password}" }} ] }}
mqtt {{ listen: "127.0.0.1:{port}", max_ack_pending: 1000 }}
"""
_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous false
password_file {passwords}
persistence false
user {owner}
"""


class Broker:
    """A broker as a child process on ``port``; can be killed and started again on the same port."""

    user, password = USER, PASSWORD

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self._process: asyncio.subprocess.Process | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def settings(self) -> dict[str, Any]:
        """What a connection's settings need; ``password`` must be written to the secrets folder by ``save_password``."""
        return {"broker": f"mqtt://127.0.0.1:{self.port}", "user": USER, "password_file": "broker"}

    def save_password(self, secrets: Path) -> None:
        secrets.mkdir(parents=True, exist_ok=True)
        (secrets / "broker").write_text(PASSWORD + "\n", encoding="utf-8")

    async def command(self) -> list[str]:
        raise NotImplementedError

    async def start(self) -> None:
        """Start and wait until the port answers."""
        with (self.folder / "log").open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                *await self.command(), stdout=out, stderr=out
            )
        for _ in range(200):
            if self._process.returncode is not None:
                break
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return
        raise AssertionError(f"no broker on port {self.port}: {(self.folder / 'log').read_text()[-800:]}")

    async def kill(self) -> None:
        """As if the machine had lost its power."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        self._process = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()


class Nats(Broker):
    """NATS with its MQTT listener, as the brain starts it."""

    async def command(self) -> list[str]:
        config = self.folder / "nats.conf"
        config.write_text(
            _NATS.format(store=self.folder / "js", user=USER, password=PASSWORD, port=self.port),
            encoding="utf-8",
        )
        binary = Path(sysconfig.get_path("scripts"), "nats-server")
        return [str(binary if binary.exists() else shutil.which("nats-server")), "-c", str(config)]


class Mosquitto(Broker):
    """Eclipse mosquitto with a password."""

    async def command(self) -> list[str]:
        config, passwords = self.folder / "mosquitto.conf", self.folder / "passwords"
        passwords.touch(mode=0o600)
        tool = shutil.which("mosquitto_passwd") or "mosquitto_passwd"
        made = await asyncio.create_subprocess_exec(tool, "-b", str(passwords), USER, PASSWORD)
        assert await made.wait() == 0
        config.write_text(
            _MOSQUITTO.format(port=self.port, passwords=passwords, owner=self.folder.owner()),
            encoding="utf-8",
        )
        return [mosquitto_binary() or "mosquitto", "-c", str(config)]


def mosquitto_binary() -> str | None:
    """Where Debian puts it, or None."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
