"""Working time, crews and tools bind the machines of the twin: who has nobody waits, who may pause pauses at the bell."""

from __future__ import annotations

from dataclasses import replace

from tests.twin.small import EXACT, PART, STAMP, START_NS, Bench, small_plant
from zhongshu.kernel.clock import NS
from zhongshu.model.commands import Result, Verb
from zhongshu.model.planning import Maintenance, Pool
from zhongshu.model.plant import Plant, Shift
from zhongshu.model.states import JobState, UnitState
from zhongshu.model.text import Text
from zhongshu.twin.floor import Floor

NAME = Text("x", "x")
#: All day, but for the third to fifth minute after midnight, which is when the benches begin.
DAY = Shift("day", NAME, tuple(range(7)), 0, 1440, ((2, 5),))


def with_crew(count: int = 9, *, pauses: bool = False, shifts: tuple[Shift, ...] = ()) -> Plant:
    """Both presses need one of ``count`` people."""
    plant = small_plant()
    kinds = tuple(
        replace(
            k, capabilities=tuple(replace(c, needs={"crew": 1}, interruptible=pauses) for c in k.capabilities)
        )
        if k.id == "press"
        else k
        for k in plant.types
    )
    return replace(plant, types=kinds, pools=(Pool("crew", NAME, "crew", count),), shifts=shifts)


def job_of(bench: Bench, unit: str) -> JobState:
    job = bench.floor.machines[unit].job
    return JobState.NONE if job is None else job.state


def test_the_second_press_waits_for_the_only_person() -> None:
    bench = Bench(plant=with_crew(1))
    assert bench.start("press-1", 1, PART, STAMP) is Result.OK
    assert bench.start("press-2", 2, PART, STAMP) is Result.OK
    bench.wait(90)  # a set-up of 60 s, then four pieces of 10 s
    assert (job_of(bench, "press-1"), job_of(bench, "press-2")) == (JobState.RUNNING, JobState.WAITING)
    assert bench.floor.machines["press-2"].state is UnitState.IDLE
    bench.wait(20)
    assert (job_of(bench, "press-1"), job_of(bench, "press-2")) == (JobState.DONE, JobState.SETUP)


def test_a_broken_press_gives_its_person_away_and_asks_again() -> None:
    bench = Bench(plant=with_crew(1))
    bench.start("press-1", 1, PART, STAMP)
    bench.start("press-2", 2, PART, STAMP)
    bench.wait(80)
    bench.floor.machines["press-1"].break_down()
    bench.wait(50)
    assert job_of(bench, "press-2") is JobState.SETUP
    bench.wait(4 * 3600)
    assert (job_of(bench, "press-1"), job_of(bench, "press-2")) == (JobState.DONE, JobState.DONE)


def test_an_aborted_job_does_not_keep_its_place_in_the_queue() -> None:
    bench = Bench(plant=with_crew(1))
    bench.start("press-1", 1, PART, STAMP)
    bench.start("press-2", 2, PART, STAMP)
    bench.ask("press-2", Verb.ABORT_JOB)
    bench.wait(200)
    assert job_of(bench, "press-1") is JobState.DONE
    assert bench.floor.machines["press-2"].state is UnitState.IDLE
    assert bench.start("press-1", 3, PART, STAMP) is Result.OK
    bench.wait(10)
    assert job_of(bench, "press-1") is JobState.RUNNING


def test_nothing_begins_in_the_break_and_other_work_is_done_to_its_end() -> None:
    bench = Bench(plant=with_crew(shifts=(DAY,)))
    bench.start("press-1", 1, PART, STAMP, 12)  # 180 s: over the bell at 120 s
    bench.wait(150)
    assert bench.floor.machines["press-1"].state is UnitState.EXECUTE
    bench.start("press-2", 2, PART, STAMP)
    bench.wait(60)
    assert (job_of(bench, "press-1"), job_of(bench, "press-2")) == (JobState.DONE, JobState.WAITING)
    bench.wait(100)  # the break ends at 300 s
    assert job_of(bench, "press-2") is JobState.SETUP


def test_work_that_may_pause_pauses_at_the_bell() -> None:
    bench = Bench(plant=with_crew(pauses=True, shifts=(DAY,)))
    bench.start("press-1", 1, PART, STAMP, 12)
    bench.wait(121)
    assert bench.floor.machines["press-1"].state is UnitState.SUSPENDED
    assert bench.floor.machines["press-1"].job is not None
    done = bench.floor.machines["press-1"].job.good
    bench.wait(178)
    assert bench.floor.machines["press-1"].state is UnitState.SUSPENDED
    bench.wait(4)
    assert bench.floor.machines["press-1"].state is UnitState.EXECUTE
    assert bench.floor.machines["press-1"].job.good == done
    bench.wait(70)
    assert job_of(bench, "press-1") is JobState.DONE


def test_a_shift_with_fewer_people_lets_the_others_finish() -> None:
    night = Shift("night", NAME, tuple(range(7)), 1, 600, ())
    plant = with_crew(2, shifts=(Shift("day", NAME, tuple(range(7)), 0, 1440, ()),))
    fewer = replace(
        plant, pools=(Pool("crew", NAME, "crew", 2, {"night": 1}),), calendars={"other": (night,)}
    )
    bench = Bench(plant=fewer)
    bench.start("press-1", 1, PART, STAMP)
    bench.start("press-2", 2, PART, STAMP)
    bench.wait(110)
    assert (job_of(bench, "press-1"), job_of(bench, "press-2")) == (JobState.DONE, JobState.DONE)
    bench.start("press-1", 3, PART, STAMP)
    bench.start("press-2", 4, PART, STAMP)
    bench.wait(5)
    assert sorted((job_of(bench, "press-1"), job_of(bench, "press-2"))) == [
        JobState.WAITING,
        JobState.RUNNING,
    ]


def test_planned_maintenance_is_no_time_to_begin() -> None:
    work = Maintenance("m", NAME, ("press-1",), tuple(range(7)), "", 0, 10)
    bench = Bench(plant=replace(small_plant(), maintenance=(work,)))
    bench.start("press-1", 1, PART, STAMP)
    bench.start("press-2", 2, PART, STAMP)
    bench.wait(300)
    assert (job_of(bench, "press-1"), job_of(bench, "press-2")) == (JobState.WAITING, JobState.DONE)
    bench.wait(400)
    assert job_of(bench, "press-1") is JobState.RUNNING or job_of(bench, "press-1") is JobState.DONE


def test_a_restart_forgets_neither_who_works_nor_who_waits() -> None:
    plant = with_crew(1)
    bench = Bench(plant=plant)
    bench.start("press-1", 1, PART, STAMP)
    bench.start("press-2", 2, PART, STAMP)
    bench.wait(80)
    again = Floor(plant, EXACT, 1, START_NS + 10**6 * NS)
    again.restore(bench.floor.dump())
    jobs = {name: again.machines[name] for name in ("press-1", "press-2")}
    assert [jobs[n].job.state for n in jobs if jobs[n].job] == [JobState.RUNNING, JobState.WAITING]
    again.advance(again.now_ns + 40 * NS)
    assert [jobs[n].job.state for n in jobs if jobs[n].job] == [JobState.DONE, JobState.SETUP]
