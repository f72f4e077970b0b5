"""What many tests need: a port nobody uses, a data directory, the installed browser."""

from __future__ import annotations

import random
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest


def _free_port() -> int:
    """A TCP port of the loopback that nothing listens on, below those that the system hands out by itself.

    A client that tries again and again could otherwise be given the very port its server comes back to.
    """
    for _ in range(1000):
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError("no free port between 20000 and 32000")


@pytest.fixture
def free_port() -> int:
    """One port."""
    return _free_port()


@pytest.fixture
def free_ports() -> Callable[[], int]:
    """Another port at every call."""
    return _free_port


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty data directory, as `--data` would name it."""
    path = tmp_path / "data"
    path.mkdir()
    return path


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; the test is skipped where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium on the PATH: apt-get install chromium fonts-noto-cjk")
