"""The plant survives its process: snapshots, the log of inputs, and keys that stay answered."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.twin.small import BOX, PART, STAMP, START_NS, WASH, WILD, Bench, small_plant
from zhongshu.kernel.clock import NS, VirtualClock
from zhongshu.model.commands import Call, Result, Verb
from zhongshu.model.states import JobState
from zhongshu.twin.floor import Floor
from zhongshu.twin.lots import Where
from zhongshu.twin.timing import TICK_NS
from zhongshu.twin.twin import Twin

_BACK = ["lane-06", "lane-05", "lane-04", "lane-03", "lane-02", "lane-01"]


def _busy() -> Bench:
    """Something of everything under way: set-up, cycle, repair, hold, local mode, a drive, a kit."""
    bench = Bench(WILD, 3)
    stock = bench.floor.shop.stock
    stock.move(stock.create(90, PART, 4, "build"), Where.INPUT, "build")
    stock.lots[90].done = 2
    bench.start("build", 50, BOX, 30, 3)
    bench.start("press-2", 2, PART, STAMP)
    bench.wait(90)
    bench.start("press-1", 1, PART, STAMP)
    bench.ask("press-2", Verb.HOLD)
    bench.floor.machines["wash"].break_down()
    bench.floor.machines["pack"].local = True
    bench.carry("agv-1", 1, "press-1", "wash", [*_BACK, "lane-02", "lane-03"])
    bench.wait(7.3)
    return bench


def test_a_snapshot_round_trip_changes_nothing_and_goes_on_alike() -> None:
    bench = _busy()
    state = json.loads(json.dumps(bench.floor.dump()))
    later_ns = bench.floor.now_ns + 86_400 * NS  # the world stood still over night
    events: list[Any] = []
    again = Floor(
        small_plant(), WILD, 3, later_ns, lambda k, t, f: events.append((k, t - later_ns, json.dumps(f)))
    )
    again.restore(state)
    assert json.loads(json.dumps(again.dump())) == state
    seen = len(bench.events)
    now = bench.floor.now_ns
    bench.wait(3600)
    again.advance(later_ns + 3600 * NS)
    went_on = [
        (e.pop("kind"), round(e.pop("t_s") * NS) - (now - START_NS), json.dumps(e))
        for e in bench.events[seen:]
    ]
    assert len(went_on) > 20
    assert [(k, f) for k, _, f in events] == [(k, f) for k, _, f in went_on]
    assert all(abs(a[1] - b[1]) < 1000 for a, b in zip(events, went_on, strict=True))


def _twin(folder: Path, clock: VirtualClock, seed: int = 1) -> Twin:
    return Twin(small_plant(), WILD, clock, seed, state=folder / "twin.json")


def _ticks(twin: Twin, clock: VirtualClock, count: int) -> None:
    for _ in range(count):
        tick = clock.now_ns() // TICK_NS + 1
        clock._now_ns = tick * TICK_NS
        twin.tick(tick)


async def _start(twin: Twin, unit: str, key: int, lot: int, operation: int = STAMP) -> Result:
    args = {"lot": lot, "product": PART, "operation": operation, "quantity": 4}
    return (await twin.side.called(Call(unit, Verb.START_JOB, key, args))).result


async def test_a_kill_forgets_no_job_and_does_none_twice(tmp_path: Path) -> None:
    clock = VirtualClock()
    first = _twin(tmp_path / "a", clock)
    first._save_now()
    assert await _start(first, "press-1", 11, 1) is Result.OK
    _ticks(first, clock, 300)
    first._save_now()
    assert await _start(first, "press-2", 12, 2) is Result.OK
    assert await _start(first, "wash", 13, 2, WASH) is Result.NO_MATERIAL
    await first.side.written("press-1", "force_set", 444.0)
    assert (await first.answer({"op": "fault", "kind": "slow", "target": "press-2", "value": 2}))["ok"]
    assert (await first.answer({"op": "fault", "kind": "breakdown", "target": "wash"}))["ok"]
    _ticks(first, clock, 2500)
    expected = first.floor.dump()
    # Killed here: the files as they lie there, with a torn last line, are all that is left.
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    newest = max((tmp_path / "b").glob("*.log-*"))
    with newest.open("ab") as torn:
        torn.write(b'{"t":17')
    clock._now_ns += 3600 * NS
    second = _twin(tmp_path / "b", clock)
    assert _rounded(second.floor.dump()) == _rounded(expected)
    assert second.faults.active == {("slow", "press-2"): 2.0}
    assert second.scan.counts.tolist() == [0] * 7  # numbering begins again, as after a device restart
    second._save_now()
    assert await _start(second, "press-2", 12, 2) is Result.OK  # the same key: the same answer …
    assert await _start(second, "wash", 13, 2, WASH) is Result.NO_MATERIAL
    assert _rounded(second.floor.dump()) == _rounded(expected)  # … and nothing done
    _ticks(second, clock, 3000)
    assert sum(e["state"] == JobState.DONE for e in _jobs(second)) >= 1
    assert set(second.floor.unaccounted().values()) == {0}


async def test_a_clean_stop_keeps_counts_and_answers(tmp_path: Path) -> None:
    clock = VirtualClock()
    first = _twin(tmp_path, clock)
    first._save_now()
    assert await _start(first, "press-1", 11, 1) is Result.OK
    _ticks(first, clock, 100)
    counts = first.scan.counts.tolist()
    await first._leave([])
    for _ in range(3):
        twin = _twin(tmp_path, clock)
        assert twin.scan.counts.tolist() == counts
        twin._save_now()
        twin._keep.rewrite_keys((u, *told) for u in twin._units() for told in twin._told(u))  # type: ignore[union-attr]
        assert await _start(twin, "press-1", 11, 1) is Result.OK
        assert await _start(twin, "press-1", 12, 5) is Result.BUSY if _ == 0 else True
        await twin._leave([])
    assert sorted(p.name for p in tmp_path.iterdir())[0] == "twin.json"


async def test_another_plants_state_is_set_aside(tmp_path: Path) -> None:
    clock = VirtualClock()
    first = _twin(tmp_path, clock, seed=1)
    first._save_now()
    await _start(first, "press-1", 11, 1)
    await first._leave([])
    other = _twin(tmp_path, clock, seed=2)
    assert not other.floor.shop.stock.lots
    assert (tmp_path / "twin.json.old").exists()
    other._save_now()
    (tmp_path / "twin.json").write_text("{not json", encoding="utf-8")
    assert not _twin(tmp_path, clock).floor.shop.stock.lots


def _jobs(twin: Twin) -> list[dict[str, Any]]:
    return [m.job.dump() for m in twin.floor.machines.values() if m.job is not None]


def _rounded(value: Any) -> Any:
    """Floats that were summed in other steps differ in their last bits."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {str(k): _rounded(v) for k, v in value.items()}
    return [_rounded(v) for v in value] if isinstance(value, list) else value
