"""Errors that are written for people: the command line prints them as one line, without a trace."""

from __future__ import annotations

from zhongshu.cli.attach import NotRunning
from zhongshu.cli.device_ports import DevicePortTaken
from zhongshu.decide.policies import PolicyError
from zhongshu.historian.query import QueryError
from zhongshu.kernel.bus import BusError
from zhongshu.kernel.config import ConfigError
from zhongshu.kernel.plantfile import PlantFileError
from zhongshu.kernel.store import StoreError
from zhongshu.twin.control import NotRunning as NoTwin

PROBLEMS: tuple[type[Exception], ...] = (
    NotRunning,
    PolicyError,
    DevicePortTaken,
    NoTwin,
    BusError,
    QueryError,
    ConfigError,
    PlantFileError,
    StoreError,
)
