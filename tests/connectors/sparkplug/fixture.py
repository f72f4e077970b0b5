"""Sparkplug's ground for the contract suite: NATS as broker, an edge node with two devices."""

from __future__ import annotations

from pathlib import Path

from tests.connectors.link import Link
from tests.connectors.mqtt.brokers import Nats
from tests.connectors.sparkplug.plants import sparkplug_plant


def link(tmp_path: Path, port: int) -> Link:
    """One edge node with two devices behind a broker on ``port``."""
    broker, secrets = Nats(tmp_path / "broker", port), tmp_path / "secrets"
    broker.save_password(secrets)
    plant, connection, units = sparkplug_plant(broker.settings)
    return Link(
        plant=plant,
        connection=connection,
        units=units,
        secrets=secrets,
        float_point="speed",
        writable="setpoint",
        calls=True,
        broker=broker,
    )
