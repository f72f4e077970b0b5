"""``zhongshu check`` of a VDA 5050 connection: under a name of its own, listening only."""

from __future__ import annotations

import asyncio
import logging
import secrets as random_secrets
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from zhongshu.connectors._mqtt.broker import BadBroker, Broker
from zhongshu.connectors._mqtt.session import Session
from zhongshu.connectors._mqtt.speech import speaker
from zhongshu.connectors.vda5050.codec import CONNECTION, STATE, Malformed, Topics, decode
from zhongshu.connectors.vda5050.config import Settings
from zhongshu.connectors.vda5050.messages import ConnectionMessage, State
from zhongshu.kernel.ports import Check

log = logging.getLogger(__name__)
say = speaker("vda5050")


class Visit:
    """Which vehicles said that they are online, and the version in the headers of those that sent a state."""

    def __init__(self, settings: Settings, make_broker: Callable[[], Broker]) -> None:
        self._topics = Topics(settings)
        self.online: set[str] = set()
        self.versions: dict[str, str] = {}
        self.malformed: dict[str, str] = {}
        self.changed = asyncio.Event()
        self.session = Session(
            f"vda5050 check {settings.manufacturer}",
            f"zhongshu-check-{random_secrets.token_hex(4)}",
            make_broker,
            self._message,
            subscriptions=[(self._topics.of("+", topic), 1) for topic in (CONNECTION, STATE)],
            timeout_s=settings.timeout_s,
        )

    def _message(self, topic: str, payload: bytes) -> None:
        serial, kind = self._topics.parse(topic)
        try:
            if kind == CONNECTION:
                if decode(ConnectionMessage, payload).connection_state == "ONLINE":
                    self.online.add(serial)
            else:
                self.versions[serial] = decode(State, payload).version
        except Malformed as error:
            self.malformed[serial] = str(error)
        self.changed.set()


async def look(settings: Settings, serials: Sequence[str], make_broker: Callable[[], Broker]) -> Check:
    """Connect, listen for at most ``timeout_s`` until every vehicle was heard; never raises."""
    visit = Visit(settings, make_broker)
    running = asyncio.create_task(visit.session.run(_nothing_to_say))
    try:
        async with asyncio.timeout(settings.timeout_s):
            await _first_of(_heard(visit, set(serials)), running)
    except TimeoutError:
        log.debug("check of %s: not every vehicle was heard in time", settings.manufacturer)
    connected = visit.session.ready.is_set()
    running.cancel()
    (ended,) = await asyncio.gather(running, return_exceptions=True)
    if not connected:
        reason = (
            ended
            if isinstance(ended, BadBroker)
            else visit.session.counters.last_error or say("check.no_reason")
        )
        return Check(
            False,
            say("check.no_broker", broker=settings.broker, reason=reason),
            say("check.no_broker_remedy"),
        )
    return _judge(serials, visit)


async def _heard(visit: Visit, serials: set[str]) -> None:
    """Until every vehicle said that it is online and sent a state."""
    while not (serials <= visit.online and serials <= visit.versions.keys()):
        visit.changed.clear()
        await visit.changed.wait()


async def _first_of(waiting: Coroutine[Any, Any, None], running: asyncio.Task[None]) -> None:
    """Until it happened, or the session ended for good."""
    happened = asyncio.ensure_future(waiting)
    try:
        await asyncio.wait({happened, running}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        happened.cancel()


def _judge(serials: Sequence[str], visit: Visit) -> Check:
    found = {"online": sorted(visit.online), "versions": visit.versions, "malformed": visit.malformed}
    absent = [serial for serial in serials if serial not in visit.online]
    if absent:
        return Check(
            False, say("check.offline", vehicles=", ".join(absent)), say("check.offline_remedy"), found
        )
    if visit.malformed:
        serial, error = next(iter(visit.malformed.items()))
        return Check(
            False, say("check.malformed", vehicle=serial, error=error), say("check.malformed_remedy"), found
        )
    return Check(True, say("check.ok", count=len(serials)), found=found)


async def _nothing_to_say() -> None:
    """A visit announces itself to nobody."""
    await asyncio.sleep(0)
