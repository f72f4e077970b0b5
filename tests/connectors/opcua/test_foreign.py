"""Our OPC UA against node-opcua: our client at its server with small limits and real security, its client at our server."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.link import Feed, Link, Machines, Recorder, make_plant, make_point, make_unit
from tests.connectors.opcua import fixture
from zhongshu.connectors import registry
from zhongshu.connectors.opcua.checking import browse
from zhongshu.connectors.opcua.config import read_settings
from zhongshu.connectors.opcua.session import Session
from zhongshu.connectors.opcua.words import Words
from zhongshu.kernel.clock import wall_clock
from zhongshu.kernel.ports import Connector
from zhongshu.model.batch import BAD
from zhongshu.model.commands import Call, Outcome, Result, Verb
from zhongshu.model.plant import Connection, Plant

FOLDER = Path(__file__).parent.parent / "foreign"
URI = "urn:test:foreign"
MANY = 250
NUMBERS = ("Boolean", "SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Float", "Double")
NAMES = (*NUMBERS, "fixed", "text", "count", "stubborn", "forgetful", "broken", "nowhere")
SECURE = [
    ("Basic256Sha256", "SignAndEncrypt"),
    ("Aes256Sha256RsaPss", "SignAndEncrypt"),
    ("Aes128Sha256RsaOaep", "Sign"),
]

pytestmark = [
    pytest.mark.foreign,
    pytest.mark.skipif(shutil.which("node") is None, reason="no node on the PATH"),
    pytest.mark.skipif(
        not (FOLDER / "node_modules" / "node-opcua").exists(),
        reason="run `npm install` in tests/connectors/foreign",
    ),
]


def plant_of(port: int, **settings: Any) -> Plant:
    """The foreign server's variables as one unit."""
    names = [*NAMES, *(f"v{n}" for n in range(MANY))]
    points = [make_point("Unit", n, writable=True, address={"node": f"nsu={URI};s=Unit.{n}"}) for n in names]
    given = {"endpoint": f"opc.tcp://127.0.0.1:{port}/", "publishing_ms": 100, "timeout_s": 4.0, **settings}
    unit = make_unit("Unit", points, address={"node": f"nsu={URI};s=Unit"})
    return make_plant([unit], Connection("c1", "opcua", given))


@asynccontextmanager
async def server(port: int, folder: Path) -> AsyncIterator[None]:
    """node-opcua listening on ``port``."""
    node = await asyncio.create_subprocess_exec(
        "node", "opcua_server.js", str(port), str(folder), cwd=FOLDER,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert node.stdout is not None
        line = await asyncio.wait_for(node.stdout.readline(), 60)
        while line and b"ready" not in line:
            line = await asyncio.wait_for(node.stdout.readline(), 60)
        assert line, "the foreign server did not start"
        yield
    finally:
        if node.returncode is None:
            node.kill()  # no goodbye: that is how devices leave
        await node.wait()


@asynccontextmanager
async def reading(plant: Plant, secrets: Path) -> AsyncIterator[tuple[Connector, Recorder]]:
    """Our connector at work."""
    connector, sink = registry.connector(plant, plant.connections[0], wall_clock(), secrets), Recorder()
    task = asyncio.create_task(connector.run(sink))
    try:
        yield connector, sink
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_subscribes_in_small_calls_writes_calls_and_survives_a_kill(
    tmp_path: Path, free_port: int
) -> None:
    plant = plant_of(free_port)
    ids = {p.name: p.id for p in plant.points}
    async with reading(plant, tmp_path / "ours") as (connector, sink):
        async with server(free_port, tmp_path / "theirs"):
            await sink.until(lambda: sink.count("connected") == 1, seconds=30)
            limits = connector.diagnostics()["limits"]
            assert limits["monitor"] == limits["read"] == 100
            await sink.until(
                lambda: all(ids[f"v{n}"] in sink.point for n in range(MANY)), what="every variable"
            )
            await _counts_without_a_gap(sink, ids)
            await _values_and_texts(sink, ids)
            await _writes(connector, ids)
            await _calls(connector)
            await _finds(connector)
        await sink.until(lambda: sink.count("lost") == 2, what="loss told")  # one came before it started
        async with server(free_port, tmp_path / "theirs"):
            await sink.until(lambda: sink.count("connected") == 2, seconds=15, what="back within 15 s")
            n = len(sink.point)
            await sink.until(lambda: ids["count"] in sink.point[n:], what="values again")
    assert sink.doubles() == {}


async def _counts_without_a_gap(sink: Recorder, ids: dict[str, int]) -> None:
    """A counter that moves ten times a second, over 2.5 s: each value once, in order."""
    await asyncio.sleep(2.5)
    counts = [v for p, v in zip(sink.point, sink.value, strict=True) if p == ids["count"]]
    assert len(counts) >= 15
    assert counts == [counts[0] + n for n in range(len(counts))]


async def _values_and_texts(sink: Recorder, ids: dict[str, int]) -> None:
    bad = {p for p, q in zip(sink.point, sink.quality, strict=True) if q == BAD}
    assert bad == {ids["nowhere"], ids["broken"]}
    assert all(ids[name] in sink.point for name in NUMBERS)
    texts = {(e[1], e[3]) for e in sink.events if e[0] == "text"}
    assert (ids["text"], "hello") in texts
    assert any(point == ids["broken"] and "BadSensorFailure" in text for point, text in texts)


async def _writes(connector: Connector, ids: dict[str, int]) -> None:
    for name in NUMBERS:
        assert (await connector.write(ids[name], 1.0)).outcome is Outcome.ACCEPTED, name
    assert (
        await connector.write(ids["Float"], 0.1)
    ).outcome is Outcome.ACCEPTED  # equal to a float's precision
    assert (await connector.write(ids["Byte"], 256.0)).result is Result.BAD_ARGUMENT
    for name, word in (("fixed", "Bad"), ("stubborn", "BadOutOfRange"), ("nowhere", "BadNodeIdUnknown")):
        answer = await connector.write(ids[name], 2.0)
        assert answer.outcome is Outcome.REFUSED and word in answer.reason, answer
    forgetful = await connector.write(ids["forgetful"], 2.0)
    assert (forgetful.outcome, forgetful.result) == (Outcome.REFUSED, Result.READ_BACK_DIFFERS)


async def _calls(connector: Connector) -> None:
    def start(product: int) -> Call:
        return Call(
            "Unit",
            Verb.START_JOB,
            2**31 - 1,
            {"lot": 2**40, "product": product, "operation": 10, "quantity": 1},
        )

    assert (await connector.call(start(5))).outcome is Outcome.ACCEPTED
    refused = await connector.call(start(6))
    assert (refused.outcome, refused.result) == (Outcome.REFUSED, Result.NO_MATERIAL)
    bad = await connector.call(start(98))
    assert bad.outcome is Outcome.REFUSED and "BadInvalidState" in bad.reason
    assert (await connector.call(start(99))).outcome is Outcome.UNKNOWN
    absent = await connector.call(Call("Unit", Verb.HOLD, 3))
    assert absent.outcome is Outcome.REFUSED and "Bad" in absent.reason


async def _finds(connector: Connector) -> None:
    found = await connector.check()
    assert not found.ok and "nowhere" in found.message and found.remedy
    assert found.found is not None and found.found["points"] == len(NAMES) + MANY - 1


@pytest.mark.parametrize(("policy", "mode"), SECURE)
async def test_logs_in_over_an_encrypted_channel(
    tmp_path: Path, free_port: int, policy: str, mode: str
) -> None:
    ours = tmp_path / "ours"
    ours.mkdir()
    (ours / "pass.txt").write_text("right horse\n")
    login = {"security": policy, "mode": mode, "user": "operator", "password_file": "pass.txt"}
    plant = plant_of(free_port, **login)
    ids = {p.name: p.id for p in plant.points}
    async with server(free_port, tmp_path / "theirs"), reading(plant, ours) as (connector, sink):
        await sink.until(lambda: ids["count"] in sink.point, seconds=30, what="values")
        assert (await connector.write(ids["Double"], 3.25)).outcome is Outcome.ACCEPTED
        assert "right horse" not in json.dumps(dict(connector.diagnostics()))
        (ours / "pass.txt").write_text("wrong horse\n")
        found = await registry.connector(plant, plant.connections[0], wall_clock(), ours).check()
        assert not found.ok and "Bad" in found.message and found.remedy


async def test_a_server_that_shows_another_certificate_is_not_trusted(tmp_path: Path, free_port: int) -> None:
    plant = plant_of(free_port, security="Basic256Sha256")
    connection = plant.connections[0]
    async with server(free_port, tmp_path / "first"):
        first = await registry.connector(plant, connection, wall_clock(), tmp_path).check()
        assert first.found is not None and first.found["security"] == "Basic256Sha256/SignAndEncrypt"
    async with server(free_port, tmp_path / "second"):
        second = await registry.connector(plant, connection, wall_clock(), tmp_path).check()
        assert not second.ok and second.found is None and "c1.sha256" in second.remedy


async def test_browses_what_is_there(tmp_path: Path, free_port: int) -> None:
    plant = plant_of(free_port)
    settings = read_settings("c1", plant.connections[0].settings)
    async with server(free_port, tmp_path / "theirs"):
        session = Session("c1", settings, "urn:zhongshu:p1", wall_clock(), tmp_path, Words("en"))
        await session.start()
        found = {f.node: f for f in await browse(session)}
        await session.close()
    assert {f"nsu={URI};s=Unit.v{n}" for n in range(MANY)} <= set(found)
    assert found[f"nsu={URI};s=Unit.count"].is_variable and not found[f"nsu={URI};s=Unit"].is_variable


@pytest.mark.parametrize("security", ["None", "Basic256Sha256"])
async def test_a_foreign_client_reads_writes_calls_and_browses_our_server(
    tmp_path: Path, free_port: int, security: str
) -> None:
    link: Link = fixture.link(tmp_path, free_port, security=security)
    machines = Machines()
    peer = registry.peer(link.plant, link.connection, link.units, wall_clock(), machines, link.secrets)
    await peer.start()
    feed = Feed(link, peer)
    await feed.tick()
    ticking = asyncio.create_task(feed.run(1000))
    mode = {"None": ("None", "None"), "Basic256Sha256": ("Basic256Sha256", "SignAndEncrypt")}[security]
    node = await asyncio.create_subprocess_exec(
        "node", "opcua_client.js", f"opc.tcp://127.0.0.1:{free_port}/", str(tmp_path / "theirs"), *mode,
        cwd=FOLDER, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(node.communicate(), 60)
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    await peer.stop()
    assert node.returncode == 0, err.decode()
    seen = json.loads(out.splitlines()[-1])
    speed = next(p.id for p in link.units[0].points if p.name == "speed")
    made = {t // 10**6 for p, t in feed.made if p == speed}
    assert len(seen["seen"]) >= 8 and {t for t, _, _ in seen["seen"]} <= made
    assert (seen["written"], seen["fixed"], seen["read"]) == ("Good", "BadNotWritable", 12.5)
    assert (seen["status"], seen["result"]) == ("Good", 0)
    assert {"speed", "setpoint", "StartJob"} <= set(seen["names"])
    assert [(c.unit, c.key, c.args["lot"]) for c in machines.calls] == [("M1", 77, 5)]
