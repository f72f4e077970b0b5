"""VDA 5050's ground for the contract suite: NATS as broker, two vehicles."""

from __future__ import annotations

from pathlib import Path

from tests.connectors.link import Link
from tests.connectors.mqtt.brokers import Nats
from tests.connectors.vda5050.plants import vehicle_plant


def link(tmp_path: Path, port: int) -> Link:
    """Two vehicles behind a broker on ``port``; they take transport orders, not job orders."""
    broker, secrets = Nats(tmp_path / "broker", port), tmp_path / "secrets"
    broker.save_password(secrets)
    plant, connection, units = vehicle_plant(broker.settings)
    return Link(
        plant=plant,
        connection=connection,
        units=units,
        secrets=secrets,
        float_point="battery",
        whole_image=True,
        broker=broker,
    )
