"""``zhongshu check`` of a Sparkplug connection: under a name of its own, so that a running brain is not disturbed."""

from __future__ import annotations

import asyncio
import logging
import secrets as random_secrets
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from zhongshu.connectors._mqtt.broker import BadBroker, Broker
from zhongshu.connectors._mqtt.session import NotConnected, Session, Unconfirmed
from zhongshu.connectors._mqtt.speech import speaker
from zhongshu.connectors.sparkplug.codec import (
    Malformed,
    Topic,
    decode,
    edge_filters,
    parse_topic,
    rebirth_request,
)
from zhongshu.connectors.sparkplug.config import Settings
from zhongshu.connectors.sparkplug.slots import Device
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.ports import Check
from zhongshu.model.plant import Unit

log = logging.getLogger(__name__)
say = speaker("sparkplug")


class Visit:
    """What the births of one edge node announced: device id → metric names."""

    def __init__(self, settings: Settings, make_broker: Callable[[], Broker], clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.announced: dict[str, frozenset[str]] = {}
        self.changed = asyncio.Event()
        self.session = Session(
            f"sparkplug check {settings.edge}",
            f"zhongshu-check-{random_secrets.token_hex(4)}",
            make_broker,
            self._message,
            subscriptions=edge_filters(settings.group, settings.edge),
            timeout_s=settings.timeout_s,
        )

    async def ask(self) -> None:
        """Ask for all births."""
        topic = Topic(self._settings.group, "NCMD", self._settings.edge)
        await self.session.publish(str(topic), rebirth_request(self._clock.now_ns()))

    def _message(self, topic: str, payload: bytes) -> None:
        parsed = parse_topic(topic)
        if parsed is None or parsed.kind not in ("NBIRTH", "DBIRTH"):
            return
        try:
            metrics: Any = decode(payload).metrics
        except Malformed:
            return
        self.announced[parsed.device] = frozenset(metric.name for metric in metrics)
        self.changed.set()


async def look(
    settings: Settings, units: Sequence[Unit], make_broker: Callable[[], Broker], clock: Clock
) -> Check:
    """Connect, collect births for at most ``timeout_s``, compare with the plant file; never raises."""
    visit = Visit(settings, make_broker, clock)
    running = asyncio.create_task(visit.session.run(visit.ask))
    try:
        async with asyncio.timeout(settings.timeout_s):
            await _first_of(visit.session.ready.wait(), running)
            wanted = {Device(unit).device for unit in units}
            while not wanted <= visit.announced.keys():
                visit.changed.clear()
                await visit.changed.wait()
    except (TimeoutError, BadBroker, NotConnected, Unconfirmed, OSError) as error:
        log.debug("check of %s: %r", settings.edge, error)
    finally:
        connected = visit.session.ready.is_set()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    if not connected:
        reason = visit.session.counters.last_error or say("check.no_reason")
        return Check(
            False,
            say("check.no_broker", broker=settings.broker, reason=reason),
            say("check.no_broker_remedy"),
        )
    return _compare(settings, units, visit.announced)


async def _first_of(waiting: Coroutine[Any, Any, Any], running: asyncio.Task[None]) -> None:
    """Until it is ready, or has ended with an error."""
    ready = asyncio.ensure_future(waiting)
    try:
        await asyncio.wait({ready, running}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ready.cancel()
    if running.done():
        running.result()


def _compare(settings: Settings, units: Sequence[Unit], announced: dict[str, frozenset[str]]) -> Check:
    found = {
        "edge": settings.edge,
        "devices": {name: len(metrics) for name, metrics in sorted(announced.items())},
    }
    if not announced:
        return Check(False, say("check.no_edge", edge=settings.edge), say("check.no_edge_remedy"), found)
    devices = [Device(unit) for unit in units]
    absent = [d.device for d in devices if d.device not in announced]
    if absent:
        return Check(
            False, say("check.no_device", devices=", ".join(absent)), say("check.no_device_remedy"), found
        )
    metrics = [f"{d.device}: {name}" for d in devices for name in d.slots if name not in announced[d.device]]
    if metrics:
        text = say("check.no_metric", count=len(metrics), metrics=", ".join(metrics[:5]))
        return Check(False, text, say("check.no_metric_remedy"), found)
    return Check(True, say("check.ok", edge=settings.edge, devices=len(devices)), found=found)
