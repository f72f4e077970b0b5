"""The auditor judges in a thread while the intake goes on: nothing is forgotten in between, and nothing breaks."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from threading import Event, Thread

import numpy as np

from tests.decide.small_plant import make_plant
from zhongshu.historian.audit import Auditor
from zhongshu.historian.holes import Holes
from zhongshu.historian.query import History
from zhongshu.kernel.clock import wall_clock
from zhongshu.model.messages import GapRecorded
from zhongshu.model.numbering import numbered

COUNT = 400  # enough turns to lose something without the lock, in a second
PLANT = make_plant({"cut-1": "a-cut"})


def test_what_the_intake_adds_while_a_thread_forgets_is_kept(tmp_path: Path) -> None:
    auditor = Auditor(
        PLANT, numbered(PLANT), History(tmp_path), Holes(["c"]), wall_clock(), tmp_path / "audit.json"
    )
    stop, started, errors, interval = Event(), Event(), [], sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns as often as they can

    def judge() -> None:
        try:
            while not stop.is_set():
                auditor._forget()
                started.set()
                time.sleep(1e-4)  # or it would hold the lock for ever: a lock knows no queue
        except RuntimeError as error:
            errors.append(error)

    thread = Thread(target=judge)
    thread.start()
    started.wait()
    point = np.array([PLANT.points[0].id], np.int32)
    for seq in range(1, COUNT + 1):
        auditor.kept_back(seq, point, np.array([2**61 + seq], np.int64))
        auditor.read_up_to(seq)
        auditor.gap(GapRecorded("small", "sense", 1, f"g{seq}", "c", "cut-1", (), 1, 2**61 + seq, 1, "test"))
    stop.set()
    thread.join()
    sys.setswitchinterval(interval)
    auditor.save()
    assert not errors
    assert sum(len(t) for _, _, t in auditor._kept) == COUNT
    assert auditor.gaps == len(auditor._gaps) == COUNT
