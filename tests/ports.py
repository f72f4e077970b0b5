"""A port for a test's server, which may go away and come back on it."""

from __future__ import annotations

import random
import socket

TRIES = 1000


def low_port() -> int:
    """A free port below those that the system gives to outgoing connections.

    A client that keeps trying an ephemeral port while its server is away may be given that very port as its own end, and
    then be connected to itself, so that the server cannot come back.
    """
    for _ in range(TRIES):
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError("no free port between 20000 and 32000")
