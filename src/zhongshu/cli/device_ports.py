"""Before the twin starts: are the ports free on which its devices will listen?"""

from __future__ import annotations

from urllib.parse import urlsplit

from zhongshu.kernel.listeners import is_free, owner_of
from zhongshu.model.plant import Connection, Plant


class DevicePortTaken(Exception):
    """Another program listens where a device of the twin should; the message says which, and what to do."""


def require_free_devices(plant: Plant) -> None:
    """Raise DevicePortTaken for the first port of a connection that is taken."""
    for connection in plant.connections:
        port = _port(connection)
        if port and not is_free(port):
            owner = owner_of(port) or "another program"
            raise DevicePortTaken(
                f"port {port} of connection {connection.id} is taken by {owner}; stop it (another demo?), "
                "or give that connection another port in the plant file"
            )


def _port(connection: Connection) -> int:
    """The TCP port that the connection's device side listens on; 0 where it listens nowhere."""
    settings = connection.settings
    if "endpoint" in settings:
        return urlsplit(str(settings["endpoint"])).port or 0
    return int(settings.get("port", 0))
