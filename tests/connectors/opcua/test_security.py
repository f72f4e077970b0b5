"""Who may talk to whom: policies, logins, our own certificate, and the fingerprint that is trusted."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.link import Feed, Link, Machines, Recorder
from tests.connectors.opcua import fixture
from zhongshu.connectors import registry
from zhongshu.connectors.opcua import trust
from zhongshu.connectors.opcua.config import SettingsError, read_settings
from zhongshu.kernel.clock import wall_clock
from zhongshu.kernel.ports import Check
from zhongshu.model.commands import Outcome
from zhongshu.model.plant import Connection

POLICIES = ["Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"]


def secured(tmp_path: Path, port: int, **settings: Any) -> Link:
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / "pass.txt").write_text("long enough\n")
    return fixture.link(tmp_path, port, **{"user": "brain", "password_file": "pass.txt", **settings})


async def look(link: Link) -> Check:
    return await registry.connector(link.plant, link.connection, wall_clock(), link.secrets).check()


def peer_of(link: Link) -> Any:
    return registry.peer(link.plant, link.connection, link.units, wall_clock(), Machines(), link.secrets)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("mode", ["Sign", "SignAndEncrypt"])
async def test_reads_writes_and_resumes_over_every_policy(
    tmp_path: Path, free_port: int, policy: str, mode: str
) -> None:
    link = secured(tmp_path, free_port, security=policy, mode=mode)
    peer, sink = peer_of(link), Recorder()
    await peer.start()
    connector = registry.connector(link.plant, link.connection, wall_clock(), link.secrets)
    task = asyncio.create_task(connector.run(sink))
    feed = Feed(link, peer)
    try:
        await feed.tick()
        await sink.until(lambda: set(feed.made) <= set(sink.samples()))
        await peer.drop(0.3)
        await feed.run(3)
        await sink.until(lambda: set(feed.made) <= set(sink.samples()))
        point = next(p for p in link.units[0].points if p.name == "setpoint")
        assert (await connector.write(point.id, 7.5)).outcome is Outcome.ACCEPTED
        counts = connector.diagnostics()["counts"]
        assert counts["resumes"] == 1 and peer.sessions == 1
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await peer.stop()


async def test_wrong_and_missing_passwords_are_told_and_mended_without_a_restart(
    tmp_path: Path, free_port: int
) -> None:
    link = secured(tmp_path, free_port, security="Basic256Sha256")
    brain = secured(tmp_path / "brain", free_port, security="Basic256Sha256")
    peer, sink = peer_of(link), Recorder()
    await peer.start()
    file = brain.secrets / "pass.txt"
    file.unlink()
    task = asyncio.create_task(
        registry.connector(brain.plant, brain.connection, wall_clock(), brain.secrets).run(sink)
    )
    try:
        await sink.until(lambda: sink.count("lost") == 1)
        assert "pass.txt" in sink.events[0][1]
        file.write_text("wrong\n")
        found = await look(brain)
        assert not found.ok and "Bad" in found.message and "own.der" in found.remedy
        file.write_text("long enough\n")
        await sink.until(lambda: sink.count("connected") == 1)
        assert sink.count("lost") == 1
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await peer.stop()


async def test_the_first_certificate_is_pinned_and_another_one_refused_until_a_person_says_so(
    tmp_path: Path, free_port: int
) -> None:
    link = secured(tmp_path, free_port, security="Aes256Sha256RsaPss")
    for round_ in range(2):
        peer = peer_of(link)
        await peer.start()
        found = await look(link)
        if round_:
            assert not found.ok and str(trust.pin_file(tmp_path, "c1")) in found.remedy
            trust.pin_file(tmp_path, "c1").unlink()
            assert (await look(link)).ok
        else:
            assert found.ok
        await peer.stop()
        (tmp_path / "opcua" / "server-c1.pem").unlink()  # the device is replaced


async def test_pinned_trusts_nobody_by_itself(tmp_path: Path, free_port: int) -> None:
    link = secured(tmp_path, free_port, security="Basic256Sha256", trust="pinned")
    peer = peer_of(link)
    await peer.start()
    found = await look(link)
    assert not found.ok and found.remedy
    seen = next(word for word in found.message.split() if word.count(":") == 31)
    trust.pin(tmp_path, "c1", seen)
    assert (await look(link)).ok
    await peer.stop()


async def test_a_policy_that_the_server_does_not_offer_is_named_with_those_it_does(
    tmp_path: Path, free_port: int
) -> None:
    peer = peer_of(fixture.link(tmp_path, free_port))
    await peer.start()
    found = await look(fixture.link(tmp_path, free_port, security="Basic256Sha256"))
    assert not found.ok and "Basic256Sha256/SignAndEncrypt" in found.message and "None" in found.message
    await peer.stop()


def test_our_identity_is_made_once_and_only_we_can_read_it(tmp_path: Path) -> None:
    now = wall_clock().wall_ns()
    first = trust.identity(tmp_path, "own", "urn:zhongshu:p1", now)
    again = trust.identity(tmp_path, "own", "urn:zhongshu:other", now)
    assert first.certificate == again.certificate and again.uri == "urn:zhongshu:p1"
    assert stat.S_IMODE((tmp_path / "opcua" / "own.pem").stat().st_mode) == 0o600
    assert b"PRIVATE" not in first.file.read_bytes()


@pytest.mark.parametrize(
    ("settings", "word"),
    [({}, "endpoint"), ({"endpoint": "http://x:1"}, "opc.tcp"), ({"endpoint": "opc.tcp://x"}, "port"),
     ({"endpoint": "opc.tcp://u:p@x:1/"}, "password_file"), ({"endpoint": "opc.tcp://x:1/", "security": "Basic128"}, "security"),
     ({"endpoint": "opc.tcp://x:1/", "publishing_ms": 1}, "publishing_ms"), ({"endpoint": "opc.tcp://x:1/", "colour": 1}, "colour")],
)  # fmt: skip
def test_bad_settings_name_the_field(settings: dict[str, Any], word: str) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings("c1", settings)
    assert word in str(error.value) and "c1" in str(error.value)


def test_a_peer_listens_on_the_loopback_only(tmp_path: Path) -> None:
    link = fixture.link(tmp_path, 1)
    wide = Connection("c1", "opcua", {"endpoint": "opc.tcp://0.0.0.0:1/"})
    with pytest.raises(ValueError, match="loopback"):
        registry.peer(link.plant, wide, link.units, wall_clock(), Machines(), tmp_path)
