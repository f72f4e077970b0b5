"""Who waits for which answer of a device: requests by unit and key, writes by metric; fed with every metric that comes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from zhongshu.connectors.sparkplug.codec import same
from zhongshu.connectors.sparkplug.edge import Seen
from zhongshu.connectors.sparkplug.slots import Device, Slot
from zhongshu.model.roles import COMMAND_KEY, COMMAND_RESULT

#: (result number, plant time of the answer in ns)
Reply = tuple[int, int]


@dataclass(slots=True)
class Echo:
    """A write that waits for its value to come back; ``other`` is a different value seen meanwhile."""

    value: float
    found: asyncio.Future[Seen]
    other: Seen | None = None


@dataclass(slots=True)
class Questions:
    """Open requests and writes of one connection; each is closed by the ``with`` block that opened it."""

    replies: dict[tuple[str, int], asyncio.Future[Reply]] = field(default_factory=dict)
    echoes: dict[Slot, Echo] = field(default_factory=dict)

    @contextmanager
    def reply(self, unit: str, key: int) -> Iterator[asyncio.Future[Reply]]:
        """Wait for the device's answer to the request with that key; two who ask with one key share the answer."""
        shared = self.replies.get((unit, key))
        future = shared or asyncio.get_running_loop().create_future()
        self.replies[unit, key] = future
        try:
            yield future
        finally:
            if shared is None:
                self.replies.pop((unit, key), None)

    @contextmanager
    def echo(self, slot: Slot, value: float) -> Iterator[Echo]:
        """Wait for a metric to show that value; one write a metric at a time."""
        echo = self.echoes[slot] = Echo(value, asyncio.get_running_loop().create_future())
        try:
            yield echo
        finally:
            self.echoes.pop(slot, None)

    def seen(self, device: Device, seen: list[Seen]) -> None:
        """Metrics of one message, in its order."""
        if self.echoes:
            for one in seen:
                self._compare(one)
        if self.replies:
            self._match(device, seen)

    def _compare(self, seen: Seen) -> None:
        echo = self.echoes.get(seen.slot)
        if echo is None or echo.found.done():
            return
        if same(seen.value, echo.value, seen.slot.datatype):
            echo.found.set_result(seen)
        else:
            echo.other = seen
            if seen.transient:  # the device answers us, and not with what was asked for
                echo.found.set_result(seen)

    def _match(self, device: Device, seen: list[Seen]) -> None:
        """The result belongs to the key of the same message; by exception, an unchanged result is not sent again."""
        result_slot = device.of_role.get(COMMAND_RESULT)
        result = result_slot.value if result_slot is not None else 0.0
        for one in seen:
            if one.slot is result_slot:
                result = one.value
        for one in seen:
            if one.slot.point.role == COMMAND_KEY and one.value == one.value:
                waiting = self.replies.get((device.unit, int(one.value)))
                if waiting is not None and not waiting.done():
                    waiting.set_result((int(result) if result == result else 0, one.t_ns))
