"""One session against real brokers: it comes back by itself, and whoever vanishes leaves a will."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.mqtt.brokers import PASSWORD, USER, Broker, Mosquitto, Nats, mosquitto_binary
from zhongshu.connectors._mqtt.broker import BadBroker, broker_of, check_broker
from zhongshu.connectors._mqtt.broker import Broker as Address
from zhongshu.connectors._mqtt.session import NotConnected, Session, Will
from zhongshu.kernel.config import BusAccess, save_access

FOREIGN = pytest.param(
    Mosquitto,
    marks=[
        pytest.mark.foreign,
        pytest.mark.skipif(mosquitto_binary() is None, reason="no mosquitto: apt-get install mosquitto"),
    ],
    id="mosquitto",
)


@pytest.fixture(params=[pytest.param(Nats, id="nats"), FOREIGN])
async def broker(request: pytest.FixtureRequest, tmp_path: Path, free_port: int) -> AsyncIterator[Broker]:
    async with request.param(tmp_path / "broker", free_port) as running:
        yield running


class Guest:
    """A session that writes down what happens to it."""

    def __init__(self, broker: Broker, name: str, **more: Any) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.events: list[str] = []
        address = Address(
            "127.0.0.1", broker.port, USER, more.pop("password", PASSWORD), version=more.pop("version", 4)
        )
        self.session = Session(
            name, name, lambda: address, lambda t, p: self.heard.append((t, p)), timeout_s=2.0,
            on_connected=lambda: self.events.append("connected"), **more,
        )  # fmt: skip
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(
            self.session.run(self._up, lambda reason: self.events.append("down"))
        )
        await asyncio.wait_for(self.session.ready.wait(), 10)

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _up(self) -> None:
        self.events.append("up")


async def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    for _ in range(round(seconds / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("not in time")


async def test_wildcards_retained_messages_and_every_qos(broker: Broker) -> None:
    speaker, hearer = (
        Guest(broker, "speaker"),
        Guest(broker, "hearer", subscriptions=[("a/+/c", 2), ("spBv1.0/#", 1)]),
    )
    await speaker.start()
    await speaker.session.publish("spBv1.0/G/kept", b"kept", qos=1, retain=True)
    await hearer.start()
    for qos in (0, 1, 2):
        await speaker.session.publish(f"a/{qos}/c", b"x", qos=qos)
    await speaker.session.publish("a/b/other", b"not wanted")
    await speaker.session.publish_all([("a/m/c", b"%d" % i) for i in range(300)])
    await until(lambda: len(hearer.heard) >= 304)
    assert ("spBv1.0/G/kept", b"kept") in hearer.heard
    assert {t for t, _ in hearer.heard} == {"spBv1.0/G/kept", "a/0/c", "a/1/c", "a/2/c", "a/m/c"}
    assert [p for t, p in hearer.heard if t == "a/m/c"] == [b"%d" % i for i in range(300)]
    assert hearer.events[:2] == ["connected", "up"]
    await speaker.stop()
    await hearer.stop()


async def test_a_cut_session_leaves_its_will_and_returns_a_stopped_one_does_not(broker: Broker) -> None:
    hearer = Guest(broker, "hearer", subscriptions=[("will/#", 1)])
    await hearer.start()
    doomed = Guest(broker, "doomed", will=lambda: Will("will/doomed", b"gone", 1, False))
    await doomed.start()
    doomed.session.cut(0.5)
    assert not doomed.session.ready.is_set()
    await until(lambda: ("will/doomed", b"gone") in hearer.heard)
    await asyncio.wait_for(doomed.session.ready.wait(), 10)
    hearer.heard.clear()
    await doomed.stop()
    await asyncio.sleep(0.3)
    assert hearer.heard == []
    await hearer.stop()


async def test_a_killed_broker_is_told_once_and_found_again(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "zhongshu.connectors._mqtt.session")
    guest = Guest(broker, "guest", subscriptions=[("t", 1)])
    await guest.start()
    await broker.kill()
    await until(lambda: not guest.session.is_connected)
    with pytest.raises(NotConnected):
        await guest.session.publish("t", b"lost")
    await asyncio.sleep(1.5)  # several attempts
    assert len([r for r in caplog.records if r.levelno == logging.WARNING]) == 1
    await broker.start()
    await asyncio.wait_for(guest.session.ready.wait(), 15)
    assert len([r for r in caplog.records if r.levelno == logging.WARNING]) == 1
    assert guest.events == ["connected", "up", "down", "connected", "up"]
    await guest.session.publish("t", b"back", qos=1)
    await until(lambda: ("t", b"back") in guest.heard)
    await guest.stop()


async def test_a_publication_that_waits_ends_with_the_session_not_with_its_timeout(broker: Broker) -> None:
    guest = Guest(broker, "guest")
    await guest.start()
    started = asyncio.get_running_loop().time()
    waiting = asyncio.create_task(guest.session.publish("t", b"x" * 100_000, qos=1))
    await asyncio.sleep(0)
    guest.session.cut()
    await asyncio.gather(waiting, return_exceptions=True)
    assert asyncio.get_running_loop().time() - started < 1.5
    await guest.stop()


async def test_a_handler_that_fails_does_not_end_the_session(broker: Broker) -> None:
    guest = Guest(broker, "guest", subscriptions=[("t", 1)])

    def fail(topic: str, payload: bytes) -> None:
        guest.heard.append((topic, payload))
        raise ValueError(payload)

    guest.session._on_message = fail
    await guest.start()
    for _ in range(3):
        await guest.session.publish("t", b"bad", qos=1)
    await until(lambda: len(guest.heard) == 3)
    assert guest.session.is_connected and guest.session.counters.failed_messages == 3
    await guest.stop()


async def test_a_wrong_password_is_tried_again_without_leaking_sockets(broker: Broker) -> None:
    guest = Guest(broker, "guest", password="wrong")
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    task = asyncio.create_task(guest.session.run(guest._up))
    await asyncio.sleep(2.5)
    assert not guest.session.is_connected and guest.session.counters.last_error
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(list(Path("/proc/self/fd").iterdir())) <= open_before
    assert "wrong" not in guest.session.counters.last_error


@pytest.mark.foreign
@pytest.mark.skipif(mosquitto_binary() is None, reason="no mosquitto: apt-get install mosquitto")
async def test_mqtt_5_where_the_broker_speaks_it(tmp_path: Path, free_port: int) -> None:
    async with Mosquitto(tmp_path, free_port) as broker:
        guest = Guest(broker, "five", version=5, subscriptions=[("t", 1)])
        await guest.start()
        await guest.session.publish("t", b"5", qos=1)
        await until(lambda: guest.heard == [("t", b"5")])
        await guest.stop()


def test_the_address_is_checked_before_anything_runs(tmp_path: Path) -> None:
    for good in ("internal", "mqtt://h", "mqtt://h:1", "mqtts://h.example:8883"):
        check_broker({"broker": good})
    for bad in ("", "h:1883", "http://h", "mqtt://", "mqtt://h:port"):
        with pytest.raises(BadBroker):
            check_broker({"broker": bad})


def test_credentials_are_read_anew_at_every_attempt(tmp_path: Path) -> None:
    settings = {"broker": "mqtt://h:1", "user": "u", "password_file": "pw"}
    (tmp_path / "pw").write_text("first\n")
    assert broker_of(settings, tmp_path).password == "first"
    (tmp_path / "pw").write_text("second")
    found = broker_of(settings, tmp_path)
    assert (found.host, found.port, found.user, found.password) == ("h", 1, "u", "second")
    assert "second" not in repr(found)


def test_the_internal_broker_is_the_bus(tmp_path: Path) -> None:
    save_access(tmp_path, BusAccess("nats://127.0.0.1:1", "brain", "secret", "127.0.0.1", 18830))
    found = broker_of({"broker": "internal"}, tmp_path)
    assert (found.host, found.port, found.user, found.password) == ("127.0.0.1", 18830, "brain", "secret")
