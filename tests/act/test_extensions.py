"""More of an order under way, as the arbiter sees it: on every rung, never against a stop, a take-over or an interlock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.act.test_arbiter import HOT, Judge, judged
from tests.act.virtual_bench import two_areas
from zhongshu.kernel.store import Store
from zhongshu.model import roles
from zhongshu.model.autonomy import (
    WHOLE,
    Autonomy,
    Fact,
    Kind,
    Ladder,
    Level,
    area_scope,
    standings,
    unit_scope,
)
from zhongshu.model.commands import Call, Verb
from zhongshu.model.plant import Plant

ORDER = Call("agv-0", Verb.TRANSPORT, 5, {"lot": 9, "route": ["n0", "n1"], "drop_unit": "cut-1"})
#: What of the order the arbiter is told with an extension.
BETWEEN = {"pick_unit": "cut-3", "drop_unit": "cut-1"}


@pytest.fixture
def memory() -> Iterator[Store]:
    store = Store("sqlite://")
    store.migrate()
    yield store
    store.close()


def extends(judge: Judge, **args: Any) -> tuple[str, str]:
    return judge.says("agv-0", Verb.EXTEND_TRANSPORT, 5, **(BETWEEN | args))


def stands(plant: Plant, scope: str, kind: Kind, value: str = "finish") -> Autonomy:
    areas = {u.id: u.area for u in plant.units}
    return standings(areas, plant.ladder, 1, {(scope, kind): Fact(value, "Li", 1)})


@pytest.mark.parametrize("level", Level)
def test_what_is_under_way_is_brought_to_its_end_on_every_rung(memory: Store, level: Level) -> None:
    def scene(judge: Judge) -> None:
        assert extends(judge) == ("yes", "")
        if level is not Level.ACT:
            assert judge.says("agv-0", Verb.TRANSPORT, 6)[0] != "yes"

    judged(scene, plant=replace(two_areas(), ladder=Ladder(default=level)), store=memory)


@pytest.mark.parametrize(
    ("scope", "kind", "reason"),
    [
        (WHOLE, Kind.STOPPED, "stopped_by_a_person"),
        (area_scope("yard"), Kind.STOPPED, "stopped_by_a_person"),  # where the vehicle is
        (area_scope("hall"), Kind.STOPPED, "stopped_by_a_person"),  # where it carries to
        (unit_scope("agv-0"), Kind.TAKEN, "taken_over"),
    ],
)
def test_who_is_stopped_or_taken_over_waits_where_its_leave_ends(
    memory: Store, scope: str, kind: Kind, reason: str
) -> None:
    def scene(judge: Judge) -> None:
        judge.autonomy = stands(judge.bench.plant, scope, kind)
        assert extends(judge) == ("no", reason)
        call = Call("agv-0", Verb.EXTEND_TRANSPORT, 5, BETWEEN)
        asked_by_a_person = judge.arbiter.judge(call, judge.now, judge.autonomy, by="Wang")
        assert asked_by_a_person.ruling.value == "yes"

    judged(scene, store=memory)


def test_its_own_order_never_stands_against_it(memory: Store) -> None:
    def scene(judge: Judge) -> None:
        judge.claims.take(ORDER)
        assert extends(judge, lot=9) == ("yes", "")
        cancel = Call("agv-0", Verb.CANCEL_TRANSPORT, 6)
        judge.claims.take(cancel)
        assert extends(judge) == ("wait", "another_command_under_way")

    judged(scene, store=memory)


def test_what_stands_against_driving_stands_against_driving_on(memory: Store) -> None:
    lock = replace(HOT, units=("agv-0",), verbs=("TRANSPORT",))

    def scene(judge: Judge) -> None:
        assert extends(judge) == ("yes", "")
        judge.bench.devices.measure("cut-3", roles.JOB_GOOD, 231)
        assert extends(judge)[0] == "wait"

    judged(scene, plant=replace(two_areas(), interlocks=(lock,)), store=memory)


def test_it_counts_for_the_vehicle_and_not_for_the_area(memory: Store) -> None:
    def scene(judge: Judge) -> None:
        for _ in range(100):
            judge.arbiter.extended("agv-0", judge.now)
        assert extends(judge) == ("wait", "rate")
        assert judge.says("cut-3") == ("yes", "")  # of the same area
        judge.now += 10**9
        for _ in range(100):
            judge.arbiter.sent("cut-3", judge.now)
        assert judge.says("cut-3")[0] == "wait"
        assert extends(judge) == ("yes", "")

    judged(scene, plant=replace(two_areas(), ladder=Ladder(area_per_s=2.0)), store=memory)
