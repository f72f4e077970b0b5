"""The seams between brain and devices: Connector on the brain's side of the wire, Peer on the device's side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from zhongshu.model.batch import Bytes, Floats, Int32s, Int64s
from zhongshu.model.commands import Answer, Call


@dataclass(frozen=True, slots=True, eq=False)
class Reads:
    """One vector of raw readings as a connector decoded it, before scale and deadband.

    ``t_ns`` is the source's own time (plant time), 0 where it gave none; ``received_ns`` the wall time of arrival.
    """

    point: Int32s
    t_ns: Int64s
    value: Floats
    quality: Bytes
    received_ns: int


class Sink(Protocol):
    """Where one connector puts what it reads; never blocks. Sense implements it."""

    def reads(self, reads: Reads) -> None:
        """Readings, in the order in which each point's source made them."""

    def connected(self) -> None:
        """The connection stands and every subscription is made."""

    def lost(self, reason: str) -> None:
        """The connection is gone; the connector is already trying again."""

    def alive(self, units: Sequence[str] | None = None) -> None:
        """Proof of life without a value (keep-alive, unchanged poll) for these units, or all of the connection."""

    def unit_up(self, unit: str) -> None:
        """A device behind the connection is there (birth, ONLINE, answers again)."""

    def unit_lost(self, unit: str, reason: str) -> None:
        """A device behind the connection is gone (death, OFFLINE, does not answer)."""

    def missed(
        self,
        cause: str,
        *,
        units: Sequence[str] = (),
        points: Sequence[int] = (),
        start_ns: int,
        end_ns: int,
        missing: int,
    ) -> None:
        """The protocol itself shows that samples are missing (queue overflow, jump in a sequence); missing -1: unknown."""

    def text(self, point: int, t_ns: int, text: str) -> None:
        """Text from a device."""


class Reader(Protocol):
    """Reads all points of one connection until cancelled; reconnects by itself with bounded back-off."""

    async def run(self, sink: Sink) -> None:
        """Read for ever into ``sink``. Raises only for errors that no retry can mend (bad settings)."""


class Writer(Protocol):
    """Asks the devices of one connection. Never retries by itself: a retry is the caller's decision."""

    async def write(self, point: int, value: float) -> Answer:
        """Write one raw value and read it back; ACCEPTED only if the read-back equals it."""

    async def call(self, call: Call) -> Answer:
        """Put a request to a unit and wait for its own answer, at most the connection's ``timeout_s``."""


@dataclass(frozen=True, slots=True)
class Check:
    """What ``zhongshu check`` found on one connection."""

    ok: bool
    message: str
    remedy: str = ""
    found: Mapping[str, Any] | None = None


class Connector(Reader, Writer, Protocol):
    """One connection, both directions, on one session where the protocol allows."""

    async def check(self) -> Check:
        """Connect, look (identity, limits, a few points), disconnect; never raises."""

    def diagnostics(self) -> Mapping[str, Any]:
        """Counters and settings for support, without secrets."""


class PlantSide(Protocol):
    """The machines behind a Peer: what the twin does when the wire brings something in."""

    async def written(self, unit: str, point: str, value: float) -> Answer:
        """A master wrote a point (by name) of a unit."""

    async def called(self, call: Call) -> Answer:
        """A master put a request to a unit; answered within milliseconds, the work goes on afterwards."""


class Peer(Protocol):
    """The device side of one connection: a real server, edge node or vehicle on the real protocol.

    Built with the units it carries, their points in plant order; ``publish`` addresses points by their index in
    ``[p for u in units for p in u.points]``.
    """

    async def start(self) -> None:
        """Listen, or connect and announce."""

    async def stop(self) -> None:
        """Leave in good order."""

    async def restart(self) -> None:
        """A device restart: everything volatile is lost, same address afterwards."""

    async def drop(self, seconds: float) -> None:
        """A connection drop: cut the wire without a goodbye, refuse for ``seconds``, then be reachable again."""

    def publish(self, index: Int64s, t_ns: Int64s, value: Floats, quality: Bytes) -> None:
        """Make these samples available; source time is plant time."""

    async def flush(self) -> None:
        """Hand what was published to the wire; called after each tick's ``publish``."""
