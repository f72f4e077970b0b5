"""What lots in every state become in the problem: tasks, arcs, pins; nothing is planned twice and nothing forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.decide.planning.plants import (
    NOW,
    arcs,
    built,
    idle,
    lot,
    modes,
    order,
    plant_of,
    product,
    step,
    waiting,
)
from tests.decide.small_plant import TREE, assembled
from zhongshu.decide.planning.build import Measured, PlanRule
from zhongshu.decide.planning.build_lots import numbers
from zhongshu.decide.scheduling.problem import AT_HAND, Arc, Pin
from zhongshu.decide.scheduling.validate import problems_of
from zhongshu.decide.work import Hold, LotStatus, Vehicle
from zhongshu.kernel.clock import NS

CHAIN = product("hood", 1, step(10, "a-cut"), step(20, "b-coat"), step(30, "c-cure"), step(40, "d-pack"))


def test_the_whole_order_book_is_planned_also_what_is_not_released() -> None:
    work = idle(plant_of(CHAIN))
    order(work, "A", quantity=12)
    made = built(work)
    fresh = numbers("A")
    lots = [fresh(), fresh(), fresh()]
    assert [ref.id for ref in made.tasks] == [f"{n}:{i}" for n in lots for i in range(4)]
    assert all(n < 0 for n in lots)
    assert modes(made, f"{lots[0]}:0") == {"cut-1": 25, "cut-2": 25}
    assert modes(made, f"{lots[2]}:0") == {"cut-1": 10, "cut-2": 10}, "two pieces are left for the last lot"
    assert arcs(made) == {(f"{n}:{i}", f"{n}:{i + 1}", True) for n in lots for i in range(3)}
    assert problems_of(made.problem) == ()


def test_jobs_have_release_due_and_weight() -> None:
    work = idle(plant_of(CHAIN))
    order(work, "late", due_ns=NOW - 60 * NS, priority=1)
    order(work, "soon", release_ns=NOW + 600 * NS, priority=9)
    made = built(work)
    assert made.orders == ("late", "soon")
    assert [(j.release, j.due, j.weight) for j in made.problem.jobs] == [(0, -60, 10), (600, 3600, 2)]


def test_a_running_task_is_pinned_and_ends_by_its_progress() -> None:
    work = idle(plant_of(CHAIN))
    order(work, "A")
    lot(
        work, 7, "A", status=LotStatus.RUNNING, next_step=1, place="coat-1", target="coat-1",
        started_ns=NOW - 20 * NS,
    )  # fmt: skip
    by_time = built(work)
    assert by_time.problem.pins == (Pin(0, by_time.units.index("coat-1"), -20, 10, started=True),)
    assert modes(by_time, "7:1") == {"coat-1": 25}
    by_progress = built(work, measured=Measured(progress={"coat-1": 20.0}))
    assert by_progress.problem.pins[0].end == 20
    assert arcs(by_progress) == {("7:1", "7:2", True), ("7:2", "7:3", True)}


def test_work_that_overruns_is_not_expected_at_once() -> None:
    work = idle(plant_of(CHAIN))
    order(work, "A")
    lot(work, 7, "A", status=LotStatus.RUNNING, place="cut-1", target="cut-1", started_ns=NOW - 9000 * NS)
    assert built(work).problem.pins[0].end == 10


@pytest.mark.parametrize("at_output", [False, True])
def test_a_waiting_lot_is_at_hand(at_output: bool) -> None:
    work = idle(plant_of(CHAIN))
    order(work, "A")
    waiting(work, 7, "A", "cut-2" if at_output else "coat-1", 1, at_output=at_output)
    made = built(work)
    origin = made.units.index("cut-2" if at_output else "coat-1")
    assert made.problem.arcs[0] == Arc(AT_HAND, 0, moves=at_output, origin=origin)
    assert made.carried[0] == 7


def test_in_front_of_a_unit_means_on_that_unit() -> None:
    work = idle(plant_of(product("hood", 1, step(10, "b-coat"), step(20, "a-cut"))))
    order(work, "A")
    waiting(work, 7, "A", "cut-2", 1)
    waiting(work, 8, "A", "coat-1", 1, at_output=True)
    made = built(work)
    assert set(modes(made, "7:1")) == {"cut-2"}
    assert set(modes(made, "8:1")) == {"cut-1", "cut-2"}


def test_a_moving_lot_arrives_where_its_vehicle_goes() -> None:
    work = idle(plant_of(CHAIN))
    order(work, "A")
    lot(work, 7, "A", status=LotStatus.MOVING, place="cut-1", at_output=True, next_step=1, target="coat-1")
    work.vehicles["agv-0"] = Vehicle(
        "n1", 90.0, lot=7, load=7, to_unit="coat-1", moving_to="n2", proposal="x"
    )
    aboard = built(work)
    coat = aboard.units.index("coat-1")
    # One node further, 10 m at 1 m/s, and 10 s to set it down.
    assert aboard.problem.arcs[0] == Arc(AT_HAND, 0, origin=coat, ready=20)
    assert [(v.station, v.ready) for v in aboard.problem.vehicles] == [(coat, 20)]
    work.vehicles["agv-0"].load = 0
    # First to the lot (10 s), take it (10 s), 20 s of way, set it down (10 s).
    assert built(work).problem.arcs[0].ready == 50


def test_a_lot_on_board_without_an_order_goes_to_the_nearest_that_can() -> None:
    work = idle(plant_of(product("hood", 1, step(10, "b-coat"), step(20, "a-cut"))))
    order(work, "A")
    waiting(work, 7, "A", "agv-0", 1, at_output=True)
    work.vehicles["agv-0"] = Vehicle("n2", 90.0, load=7)
    made = built(work)
    assert set(modes(made, "7:1")) == {"cut-2"}
    assert made.problem.arcs[0] == Arc(AT_HAND, 0, origin=made.units.index("cut-2"), ready=20)


def _tree() -> tuple[object, ...]:
    return assembled(["d-build", "e-mount"], {"body": ["a-cut", "b-bend"], "motor": ["c-wind"]}, ("motor",))


def test_parts_come_before_the_operation_at_which_they_enter() -> None:
    work = idle(plant_of(*_tree(), units=TREE))  # type: ignore[arg-type]
    order(work, "A")
    made = built(work)
    top, body, motor = (n for n in dict.fromkeys(ref.lot for ref in made.tasks))
    assert arcs(made) == {
        (f"{body}:0", f"{body}:1", True),
        (f"{body}:1", f"{top}:0", True),
        (f"{motor}:0", f"{top}:1", True),
        (f"{top}:0", f"{top}:1", True),
    }
    assert {t.job for t in made.problem.tasks} == {0}


def test_a_finished_part_binds_its_parent_where_it_lies() -> None:
    work = idle(plant_of(*_tree(), units=TREE))  # type: ignore[arg-type]
    order(work, "A")
    lot(work, 1, "A")
    body = lot(work, 2, "A", product="body", parent=1, next_step=2, status=LotStatus.FINISHED)
    body.place = "build-2"
    lot(
        work,
        3,
        "A",
        product="motor",
        parent=1,
        next_step=1,
        status=LotStatus.FINISHED,
        place="wind-1",
        at_output=True,
    )
    made = built(work)
    assert set(modes(made, "1:0")) == {"build-2"}
    assert set(arcs(made)) == {("", "1:0", False), ("1:0", "1:1", True), ("", "1:1", True)}
    assert sorted(zip(made.carried, [a.before for a in made.problem.arcs], strict=True)) == [
        (1, 0), (2, AT_HAND), (3, AT_HAND),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "hold", "tasks"),
    [
        (LotStatus.HELD, Hold.QUALITY, ["7:1", "7:2", "7:3"]),
        (LotStatus.HELD, Hold.ORDER, []),
        (LotStatus.RUNNING, Hold.CANCELLED, ["7:1"]),
        (LotStatus.LEFT, Hold.NO, []),
        (LotStatus.STORED, Hold.NO, []),
        (LotStatus.CANCELLED, Hold.NO, []),
    ],
)
def test_stopped_and_closed_lots(status: LotStatus, hold: Hold, tasks: list[str]) -> None:
    work = idle(plant_of(CHAIN))
    order(work, "A")
    lot(work, 7, "A", status=status, hold=hold, next_step=1, place="coat-1", target="coat-1")
    made = built(work)
    assert [ref.id for ref in made.tasks] == tasks
    if hold is Hold.QUALITY:
        assert made.problem.arcs[0].ready == work.plant.planning.away_s


def test_of_a_stopped_order_only_what_is_begun_goes_on() -> None:
    work = idle(plant_of(CHAIN))
    order(work, "A")
    lot(work, 7, "A", status=LotStatus.RUNNING, place="cut-1", target="cut-1")
    waiting(work, 8, "A", "coat-1", 1)
    work.orders["A"].status = "held"
    assert [ref.id for ref in built(work).tasks] == ["7:0"]


def test_a_conveyor_brings_piece_by_piece() -> None:
    flows = product("hood", 1, step(10, "a-cut"), step(20, "b-coat", transfer=2))
    work = idle(plant_of(flows))
    order(work, "A")
    made = built(work)
    assert made.problem.arcs == (Arc(0, 1, lag_min=10, overlap=10),), "two of five pieces, 25 s each way"
    waiting(work, 7, "A", "cut-1", 1, at_output=True)
    assert built(work).problem.arcs[0] == Arc(AT_HAND, 0), "no vehicle fetches what lies on the conveyor"


def test_longest_waits() -> None:
    waits = replace(
        CHAIN, routing=(*CHAIN.routing[:2], step(30, "c-cure", max_wait_s=1200.0), CHAIN.routing[3])
    )
    work = idle(plant_of(waits))
    order(work, "A")
    assert [a.lag_max for a in built(work).problem.arcs] == [None, 1200, None]
    waiting(work, 7, "A", "coat-1", 2, at_output=True, started_ns=NOW - 125 * NS)
    made = built(work)
    assert made.problem.arcs[0].lag_max == 1100, "it ended 100 s ago"
    assert made.late_waits == ()
    work.lots[7].started_ns = NOW - 2000 * NS
    made = built(work)
    assert made.problem.arcs[0].lag_max is None
    assert [made.tasks[t].id for t in made.late_waits] == ["7:2"]


def test_a_longest_wait_that_a_held_order_cannot_meet_is_told() -> None:
    waits = replace(
        CHAIN, routing=(*CHAIN.routing[:2], step(30, "c-cure", max_wait_s=1200.0), CHAIN.routing[3])
    )
    work = idle(plant_of(waits))
    order(work, "A")
    waiting(work, 7, "A", "coat-1", 2, at_output=True, started_ns=NOW - 125 * NS)
    lot(work, 8, "A", status=LotStatus.RUNNING, next_step=1, place="coat-1", target="coat-1", started_ns=NOW)
    made = built(work, [PlanRule(1, "hold", "A", end_ns=NOW + 5000 * NS)])
    assert {a.lag_max for a in made.problem.arcs} == {None}
    assert sorted(made.tasks[t].id for t in made.late_waits) == ["7:2", "8:2"]
    assert problems_of(made.problem) == ()
