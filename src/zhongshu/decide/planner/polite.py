"""Long thinking gives way to everything else on the machine; repairing a plan does not."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
#: Added to the nice value of the thread that thinks.
NICER = 10


def politely(work: Callable[[], T]) -> T:
    """Do it in a thread of its own, of low priority; returns what it returns, raises what it raises."""
    with ThreadPoolExecutor(1, "polite", _give_way) as pool:
        return pool.submit(work).result()


def _give_way() -> None:
    """Of this thread only, which only Linux can do; elsewhere it stays as it is."""
    if sys.platform == "linux":
        here = threading.get_native_id()
        nice = os.getpriority(os.PRIO_PROCESS, here)
        os.setpriority(os.PRIO_PROCESS, here, min(19, nice + NICER))
