"""A server that says what it is told to, byte for byte, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

from zhongshu.connectors.modbus.frames import HEADER

#: From transaction id, unit id and request PDU to the raw bytes that go back; None ends the connection.
Script = Callable[[int, int, bytes], Awaitable[bytes | None]]


def framed(tid: int, unit_id: int, body: bytes) -> bytes:
    return HEADER.pack(tid, 0, len(body) + 1, unit_id) + body


@dataclass
class Scripted:
    """What came in; ``open`` counts the connections that stand now."""

    script: Script
    asked: list[tuple[int, bytes]] = field(default_factory=list)
    accepted: int = 0
    open: int = 0

    @asynccontextmanager
    async def on(self, port: int) -> AsyncIterator[Self]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self.open += 1
        pending: set[asyncio.Task[None]] = set()
        try:
            while True:
                tid, _, length, unit_id = HEADER.unpack(await reader.readexactly(HEADER.size))
                body = await reader.readexactly(length - 1)
                self.asked.append((unit_id, body))
                task = asyncio.create_task(self._say(writer, tid, unit_id, body))
                pending.add(task)
                task.add_done_callback(pending.discard)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            for task in pending:
                task.cancel()
            writer.close()

    async def _say(self, writer: asyncio.StreamWriter, tid: int, unit_id: int, body: bytes) -> None:
        made = await self.script(tid, unit_id, body)
        if made is None:
            writer.transport.abort()
        else:
            writer.write(made)
