"""One connection's way out: ticks wait here for the peer, so that a slow or broken connection delays no other."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

import numpy as np

from zhongshu.kernel.ports import Peer
from zhongshu.model.batch import Floats, Int64s
from zhongshu.twin.scan import Made

log = logging.getLogger(__name__)

#: A device's own memory: ticks that wait for its server. Beyond it the oldest are lost and counted.
WAITING_MAX = 600


class Lane:
    """Hands ticks to one peer, one after the other. ``first`` and ``end`` bound the connection's points.

    ``rows`` are the indexes in ``plant.points`` of the connection's points, in the order of the peer.
    """

    def __init__(self, connection: str, peer: Peer, rows: Int64s, total: int) -> None:
        self.connection = connection
        self.peer = peer
        self._local = np.full(total, -1, dtype=np.int64)
        self._local[rows] = np.arange(len(rows))
        self._waiting: deque[tuple[Int64s, Int64s, Floats]] = deque()
        self._wake = asyncio.Event()
        self.overflowed = 0
        self.failed = 0

    @property
    def waiting(self) -> int:
        """Ticks that the peer did not take yet."""
        return len(self._waiting)

    def put(self, made: Made, rows: Int64s) -> None:
        """Samples of one tick, ``rows`` of ``made`` being this connection's."""
        if len(self._waiting) >= WAITING_MAX:
            lost = self._waiting.popleft()
            self.overflowed += len(lost[0])
        index = self._local[made.index[rows]]
        self._waiting.append((index, np.full(len(index), made.t_ns, dtype=np.int64), made.value[rows]))
        self._wake.set()

    async def run(self) -> None:
        """Publish and flush for ever; an error of the peer is logged once until it works again."""
        well = True
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                index, t_ns, value = self._waiting.popleft()
                try:
                    self.peer.publish(index, t_ns, value, np.zeros(len(index), dtype=np.uint8))
                    await self.peer.flush()
                    well = True
                except Exception as error:  # noqa: BLE001  a peer may fail in any way; the plant goes on
                    self.failed += 1
                    if well:
                        log.warning("%s: samples not handed over: %r", self.connection, error)
                    well = False
