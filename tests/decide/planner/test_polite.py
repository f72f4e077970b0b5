"""Long thinking runs in a thread of lower priority; whoever asked for it keeps its own."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from zhongshu.decide.planner.polite import NICER, politely


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux only")
def test_only_the_thread_that_thinks_gives_way() -> None:
    def nice() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = nice()
    assert politely(nice) == min(19, before + NICER)
    assert nice() == before


def test_what_goes_wrong_comes_back() -> None:
    with pytest.raises(ZeroDivisionError):
        politely(lambda: 1 // 0)
