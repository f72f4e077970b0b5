"""The journal says exactly what was made available, also after a torn end and while it is being written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.twin.small import EXACT, PART, STAMP, small_plant
from zhongshu.kernel.clock import VirtualClock
from zhongshu.model.commands import Call, Verb
from zhongshu.twin import journal
from zhongshu.twin.scan import Made
from zhongshu.twin.timing import TICK_NS
from zhongshu.twin.truth import Truth
from zhongshu.twin.twin import Twin


def _ticks(twin: Twin, clock: VirtualClock, count: int) -> list[Made]:
    made = []
    for _ in range(count):
        tick = clock.now_ns() // TICK_NS + 1
        clock._now_ns = tick * TICK_NS
        made.append(twin.tick(tick))
    return made


def test_samples_and_events_are_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "FILE_BYTES", 20_000)
    clock = VirtualClock()
    twin = Twin(small_plant(), EXACT, clock, 1, truth_dir=tmp_path)
    args = {"lot": 7, "product": PART, "operation": STAMP, "quantity": 4}
    twin.floor.called(Call("press-1", Verb.START_JOB, 3, args))
    made = _ticks(twin, clock, 1100)
    truth = Truth(tmp_path)
    assert len(list(tmp_path.glob("samples-*.bin"))) > 3
    samples = truth.samples()
    assert samples.point.tolist() == [i for m in made for i in m.index.tolist()]
    assert samples.t_ns.tolist() == [m.t_ns for m in made for _ in m.index]
    index = truth.index_of["site/shop/main/pack/temperature"]
    raw = np.concatenate([m.value[m.index == index] for m in made])
    assert np.allclose(samples.value[samples.point == index], raw * 0.1)
    assert int(twin.scan.counts.sum()) == len(samples)
    (done,) = [e for e in truth.events("job") if e["end"] == "done"]
    assert (done["key"], done["lot"], done["good"], done["scrap"]) == (3, 7, 4, 0)
    part = truth.samples(made[10].t_ns, made[20].t_ns)
    assert set(part.t_ns.tolist()) <= {m.t_ns for m in made[10:21]}


def test_a_torn_end_is_left_out_and_the_next_life_goes_on_in_a_new_file(tmp_path: Path) -> None:
    clock = VirtualClock()
    twin = Twin(small_plant(), EXACT, clock, 1, truth_dir=tmp_path)
    first = _ticks(twin, clock, 50)
    (file,) = tmp_path.glob("samples-*.bin")
    whole = file.read_bytes()
    file.write_bytes(whole[:-5])  # killed within the last write
    lost = len([m for m in first if len(m.index)][-1].index)
    again = Twin(small_plant(), EXACT, clock, 1, truth_dir=tmp_path)
    second = _ticks(again, clock, 50)
    total = sum(len(m.index) for m in first + second)
    assert len(Truth(tmp_path).samples()) == total - lost


def test_old_files_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "FILE_BYTES", 5_000)
    monkeypatch.setattr(journal, "FILES_MAX", 3)
    clock = VirtualClock()
    _ticks(Twin(small_plant(), EXACT, clock, 1, truth_dir=tmp_path), clock, 600)
    assert len(list(tmp_path.glob("samples-*.bin"))) == 3
