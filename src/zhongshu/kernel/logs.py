"""One line an event: what a process logs goes to stderr, and from there into its log file."""

from __future__ import annotations

import logging
import sys
import time


class OneLine(logging.Formatter):
    """Time in UTC, level, process, logger, message; line breaks, tracebacks included, become `` | ``."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self, process: str) -> None:
        super().__init__(f"%(asctime)s %(levelname)s {process} %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The record on one line."""
        return " | ".join(line.rstrip() for line in super().format(record).splitlines() if line.strip())


def setup_logs(process: str, level: int = logging.INFO) -> None:
    """Make this process log to stderr, one line an event; call once, at its start."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(process))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # These log every frame or connection at INFO; what matters of it is said by the code that uses them.
    for noisy in ("asyncua", "pymodbus", "nats", "alembic", "httpx", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
