"""What many tests need: a port nobody uses, a data directory, the installed browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ports import low_port


@pytest.fixture
def free_port() -> int:
    """One port."""
    return low_port()


@pytest.fixture
def free_ports() -> Callable[[], int]:
    """Another port at every call."""
    return low_port


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
