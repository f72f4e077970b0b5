"""The twin's own control port: faults and questions come in over a loopback socket, independent of bus and protocols."""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from zhongshu.twin.words import say

#: Written into the data directory, readable by its owner only.
FILE = "twin.json"
LINE_MAX = 65_536

Answering = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


class NotRunning(ConnectionError):
    """No twin answers for this data directory."""


class Control:
    """Listens on a free loopback port; who knows the token of ``data_dir/twin.json`` may ask, one JSON line each."""

    def __init__(self, data_dir: Path, answering: Answering) -> None:
        self._path = data_dir / FILE
        self._answering = answering
        self._token = secrets.token_hex(16)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen, then tell where in the token file."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LINE_MAX)
        port = self._server.sockets[0].getsockname()[1]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as written:
            json.dump({"port": port, "token": self._token}, written)

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readline(), 5.0)
            writer.write((json.dumps(await self._answer(line), ensure_ascii=False) + "\n").encode())
            await writer.drain()
        except (TimeoutError, ConnectionError, ValueError):
            pass  # who says nothing, leaves, or sends an endless line gets no answer
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> Mapping[str, Any]:
        try:
            request = json.loads(line)
        except ValueError:
            return {"ok": False, "key": "control.unknown", "message": say("control.unknown", what="")}
        token = request.get("token") if isinstance(request, dict) else None
        if not isinstance(token, str) or not hmac.compare_digest(token.encode(), self._token.encode()):
            return {"ok": False, "key": "control.denied", "message": say("control.denied")}
        return await self._answering(request)


def ask(data_dir: Path, request: Mapping[str, Any], *, timeout_s: float = 10.0) -> dict[str, Any]:
    """Ask the twin that runs in ``data_dir``; blocks. Raises NotRunning when none does.

    Requests: ``{"op": "status"}``, ``{"op": "faults"}``, ``{"op": "kinds"}`` (``kinds`` name → words, ``details`` with
    target, parameter, limits and both languages), and ``{"op": "fault", "kind": …, "target": …, "value": number or None}``.
    The answer has ``ok``, and ``key``, ``values`` and ``message`` when it is not.
    """
    path = data_dir / FILE
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        with socket.create_connection(("127.0.0.1", known["port"]), timeout=timeout_s) as link:
            link.sendall((json.dumps({**request, "token": known["token"]}) + "\n").encode())
            with link.makefile("rb") as answer:
                made = json.loads(answer.readline(8_000_000))
    except (OSError, ValueError, KeyError) as error:
        raise NotRunning(say("control.not_running", where=path)) from error
    return dict(made)
