"""Each process says once a second on the bus how it is; pages and ``/metrics`` gather what all of them said."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

from zhongshu.kernel.bus import Bus, BusError, Message
from zhongshu.kernel.clock import wall_clock
from zhongshu.model import subjects

log = logging.getLogger(__name__)

PERIOD_S = 1.0


class Health:
    """Emits ``collect()`` of one process, with ``process``, ``pid`` and ``wall_ns`` added, on ``subjects.health``."""

    def __init__(self, bus: Bus, plant: str, process: str, collect: Callable[[], Mapping[str, Any]]) -> None:
        self._bus = bus
        self._subject = subjects.health(plant, process)
        self._process = process
        self._collect = collect

    def figures(self) -> dict[str, Any]:
        """What is sent: the process's own figures and who sent them when (wall ns)."""
        common = {"process": self._process, "pid": os.getpid(), "wall_ns": wall_clock().wall_ns()}
        try:
            return {**self._collect(), **common}
        except Exception as error:  # noqa: BLE001 - a broken figure must not take down what it describes
            return {**common, "error": f"{type(error).__name__}: {error}"}

    async def run(self) -> None:
        """Emit once a second until cancelled; a bus out of reach is waited out."""
        while True:
            try:
                await self._bus.emit(self._subject, json.dumps(self.figures(), default=str).encode())
            except BusError as error:
                log.debug("health not sent: %s", error)
            await asyncio.sleep(PERIOD_S)


async def gather(bus: Bus, plant: str, seconds: float = 1.5) -> dict[str, dict[str, Any]]:
    """The newest figures of every process heard within ``seconds`` of wall time, by process name."""
    heard: dict[str, dict[str, Any]] = {}

    async def hear(message: Message) -> None:
        try:
            figures = json.loads(message.payload)
        except ValueError:
            return
        if isinstance(figures, dict):
            heard[message.subject.rpartition(".")[2]] = figures

    listening = await bus.listen(subjects.health(plant, "*"), hear)
    try:
        await asyncio.sleep(seconds)
    finally:
        await listening.close()
    return heard
