"""The device side: a fleet of vehicles whose machines are the twin's; each has an MQTT client of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zhongshu.connectors._mqtt.broker import Broker, broker_of
from zhongshu.connectors.vda5050.cart import Cart
from zhongshu.connectors.vda5050.config import Settings, settings_of
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.ports import Peer, PlantSide
from zhongshu.model.batch import Bytes, Floats, Int64s
from zhongshu.model.plant import Connection, Plant, Unit

log = logging.getLogger(__name__)

#: How long ``start`` waits for a broker; without one the vehicles keep trying in the background.
START_S = 5.0


def peer(
    plant: Plant,
    connection: Connection,
    units: Sequence[Unit],
    clock: Clock,
    plant_side: PlantSide,
    secrets: Path,
) -> Peer:
    """The vehicles of one ``vda5050`` connection. Raises ValueError for bad settings or addresses."""
    return Vda5050Peer(plant, connection, units, clock, plant_side, secrets)


class Vda5050Peer:
    """A fleet; see ``kernel.ports.Peer``. One scan of a vehicle's points is one state message."""

    def __init__(
        self,
        plant: Plant,
        connection: Connection,
        units: Sequence[Unit],
        clock: Clock,
        plant_side: PlantSide,
        secrets: Path,
    ) -> None:
        self._settings: Settings = settings_of(connection.settings)
        self._secrets = secrets
        self._name = connection.id
        self._carts = [
            Cart(unit, plant.roads, self._settings, clock, plant_side, self._make_broker) for unit in units
        ]
        sizes = [len(unit.points) for unit in units]
        self._cart_of = np.repeat(np.arange(len(sizes)), sizes)
        self._first = np.cumsum([0, *sizes[:-1]]) if sizes else np.zeros(0, np.int64)

    async def start(self) -> None:
        """Connect every vehicle; without a broker they go on trying behind the scenes."""
        for cart in self._carts:
            cart.start()
        await self._until_ready(START_S)

    async def stop(self) -> None:
        """Every vehicle says OFFLINE and disconnects."""
        await asyncio.gather(*(cart.stop() for cart in self._carts))

    async def restart(self) -> None:
        """All vehicles vanish without a word and come back with nothing in memory."""
        for cart in self._carts:
            cart.restart()
        await self._until_ready(START_S)

    async def drop(self, seconds: float) -> None:
        """Cut every vehicle's wire, so that the broker sends the wills; they come back after ``seconds``."""
        for cart in self._carts:
            cart.session.cut(seconds)
        await self._until_ready(seconds + START_S)

    def publish(self, index: Int64s, t_ns: Int64s, value: Floats, quality: Bytes) -> None:
        """Make samples available; they go out at the next ``flush`` of a vehicle that is connected by then."""
        cart_of = self._cart_of[index]
        for number in np.unique(cart_of).tolist():
            rows = cart_of == number
            self._carts[number].take(
                index[rows] - self._first[number], t_ns[rows], value[rows], quality[rows]
            )

    async def flush(self) -> None:
        """One state message a vehicle and scan."""
        await asyncio.gather(*(cart.flush() for cart in self._carts))

    async def _until_ready(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                for cart in self._carts:
                    await cart.session.ready.wait()
        except TimeoutError:
            log.debug("%s: not every vehicle is connected after %.1f s, trying on", self._name, seconds)

    def _make_broker(self) -> Broker:
        return broker_of(self._settings.model_dump(), self._secrets)
