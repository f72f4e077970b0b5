"""The arbiter: interlocks and permits, modes and states, conflicts over lots and places, rates; never by values that are not Good."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.act.virtual_bench import Bench, two_areas
from zhongshu.act.arbiter import Arbiter
from zhongshu.act.claims import Claims
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import CommandStep
from zhongshu.kernel.virtual import run
from zhongshu.model import roles
from zhongshu.model.autonomy import Ladder, standings
from zhongshu.model.commands import Call, Verb
from zhongshu.model.interlocks import Compare, Interlock
from zhongshu.model.plant import Plant, Text
from zhongshu.model.states import TransportState, UnitMode, UnitState

#: Points of the test plant are named after their roles.
HOT = Interlock(
    "hot",
    ("cut-1", "cut-2"),
    ("START_JOB",),
    "cut-3",
    roles.JOB_GOOD,
    Compare.ABOVE,
    230.0,
    False,
    Text("炉温过高", "The oven is too hot"),
)
GUARD = replace(
    HOT, id="guard", unit="", point=roles.JOB_SCRAP, compare=Compare.EQUALS, value=1.0, permit=True
)


@pytest.fixture
def memory() -> Iterator[Store]:
    store = Store("sqlite://")
    store.migrate()
    yield store
    store.close()


class Judge:
    """An arbiter with a floor that measures what it is told."""

    def __init__(self, bench: Bench) -> None:
        self.bench, plant = bench, bench.plant
        self.claims = Claims(plant, bench.latest)
        self.arbiter = Arbiter(plant, bench.latest, self.claims)
        self.autonomy = standings({u.id: u.area for u in plant.units}, plant.ladder, 0, {})
        self.now = 10**18

    def says(self, unit: str, verb: Verb = Verb.START_JOB, key: int = 1, **args: Any) -> tuple[str, str]:
        """Ruling and reason."""
        told = self.arbiter.judge(Call(unit, verb, key, args), self.now, self.autonomy, by="brain")
        return told.ruling.value, told.reason


def judged(scene: Callable[[Judge], None], *, plant: Plant | None = None, store: Store) -> None:
    async def play() -> None:
        scene(Judge(Bench(plant or two_areas(), store)))

    run(play)


def test_an_interlock_waits_while_it_holds_and_says_why(memory: Store) -> None:
    def scene(judge: Judge) -> None:
        measure = judge.bench.devices.measure
        measure("cut-3", roles.JOB_GOOD, 100, quality=2)
        assert judge.says("cut-1") == (
            "wait",
            f"interlock_value_not_known: site/hall/line/cut-3/{roles.JOB_GOOD}",
        )
        measure("cut-3", roles.JOB_GOOD, 231)
        assert judge.says("cut-1") == ("wait", "interlock: 炉温过高 / The oven is too hot")
        assert judge.says("cut-3") == ("yes", "")  # not about this one
        assert judge.says("cut-1", Verb.STOP) == ("yes", "")  # nor about this request
        measure("cut-3", roles.JOB_GOOD, 230)
        assert judge.says("cut-1") == ("yes", "")

    judged(scene, plant=replace(two_areas(), interlocks=(HOT,)), store=memory)


def test_a_permit_lets_pass_only_while_it_holds(memory: Store) -> None:
    def scene(judge: Judge) -> None:
        for unit, value in (("cut-1", 1), ("cut-2", 0)):
            judge.bench.devices.measure(unit, roles.JOB_SCRAP, value)
        assert judge.says("cut-1") == ("yes", "")
        assert judge.says("cut-2")[0] == "wait"

    judged(scene, plant=replace(two_areas(), interlocks=(GUARD,)), store=memory)


@pytest.mark.parametrize(
    ("compare", "passes", "waits"),
    [(Compare.ABOVE, 5, 6), (Compare.BELOW, 5, 4), (Compare.EQUALS, 4, 5), (Compare.DIFFERS, 5, 4)],
)
def test_every_comparison(compare: Compare, passes: float, waits: float) -> None:
    lock = replace(HOT, compare=compare, value=5.0)
    assert (lock.forbids(passes), lock.forbids(waits)) == (False, True)
    permit = replace(lock, permit=True)
    assert (permit.forbids(passes), permit.forbids(waits)) == (True, False)


def test_what_is_not_good_lets_nothing_pass(memory: Store) -> None:
    def scene(judge: Judge) -> None:
        measure = judge.bench.devices.measure
        measure("cut-1", roles.UNIT_STATE, UnitState.IDLE, quality=1)
        assert judge.says("cut-1") == ("wait", "state_not_known")
        measure("cut-1", roles.UNIT_MODE, UnitMode.PRODUCTION, quality=2)
        assert judge.says("cut-1") == ("wait", "mode_not_known")

    judged(scene, store=memory)


@pytest.mark.parametrize("mode", [m for m in UnitMode if m is not UnitMode.PRODUCTION])
def test_only_production_mode_is_commanded(memory: Store, mode: UnitMode) -> None:
    def scene(judge: Judge) -> None:
        judge.bench.devices.measure("cut-1", roles.UNIT_MODE, mode)
        assert judge.says("cut-1") == ("no", "not_in_production_mode")

    judged(scene, store=memory)


def test_no_job_is_begun_on_what_was_stopped(memory: Store) -> None:
    def scene(judge: Judge) -> None:
        judge.bench.devices.measure("cut-1", roles.UNIT_STATE, UnitState.HELD)
        assert judge.says("cut-1") == ("wait", "unit_not_ready")
        assert judge.says("cut-1", Verb.UNHOLD) == ("yes", "")

    judged(scene, store=memory)


def test_two_commands_for_one_lot_wait_for_one_another(memory: Store) -> None:
    def scene(judge: Judge) -> None:
        drive = Call("agv-0", Verb.TRANSPORT, 5, {"lot": 9, "route": ["n0"], "drop_unit": "cut-1"})
        judge.claims.take(drive)
        assert judge.says("cut-1", lot=9) == ("wait", "lot_is_in_use")
        assert judge.says("cut-1", lot=8) == ("yes", "")
        judge.claims.ended(drive, took_effect=True)
        assert judge.says("cut-1", lot=9) == ("yes", "")  # nothing measured says that it drives

        judge.claims.take(drive)
        judge.claims.ended(drive, took_effect=True)
        measure = judge.bench.devices.measure
        measure("agv-0", roles.ORDER_KEY, 5)
        measure("agv-0", roles.ORDER_STATE, TransportState.RUNNING)
        assert judge.says("cut-1", lot=9) == ("wait", "lot_is_in_use")
        measure("agv-0", roles.ORDER_STATE, TransportState.DONE)
        assert judge.says("cut-1", lot=9) == ("yes", "")

    judged(scene, store=memory)


def test_an_unknown_command_keeps_its_lot_but_not_its_unit(memory: Store) -> None:
    def scene(judge: Judge) -> None:
        start = Call("cut-1", Verb.START_JOB, 5, {"lot": 9})
        judge.claims.take(start)
        assert judge.says("cut-1", Verb.HOLD) == ("wait", "another_command_under_way")
        judge.claims.unknown(start)
        assert judge.says("cut-1", Verb.HOLD) == ("yes", "")
        assert judge.says("cut-2", lot=9) == ("wait", "lot_is_in_use")
        judge.claims.ended(start, took_effect=False)
        assert judge.says("cut-2", lot=9) == ("yes", "")

    judged(scene, store=memory)


def test_two_vehicles_do_not_go_for_one_charger(memory: Store) -> None:
    def scene(judge: Judge) -> None:
        judge.claims.take(
            Call("agv-1", Verb.TRANSPORT, 5, {"lot": 0, "route": ["n0", "n3"], "drop_unit": ""})
        )
        charge = {"lot": 0, "route": ["n1", "n3"], "drop_unit": ""}
        assert judge.says("agv-0", Verb.TRANSPORT, **charge) == ("wait", "place_is_taken")
        elsewhere = charge | {"route": ["n1", "n2"]}
        assert judge.says("agv-0", Verb.TRANSPORT, **elsewhere) == ("yes", "")

    judged(scene, store=memory)


def test_rates_of_a_unit_and_of_an_area(memory: Store) -> None:
    def scene(judge: Judge) -> None:
        second = 10**9
        judge.arbiter.sent("cut-1", judge.now)
        assert judge.says("cut-1") == ("wait", "rate")
        assert judge.says("cut-2") == ("yes", "")
        for _ in range(4):  # two a second: one second's worth may go at once
            judge.arbiter.sent("cut-1", judge.now)
        assert judge.says("cut-2") == ("wait", "area_rate")
        assert judge.says("cut-3") == ("yes", "")  # another area
        judge.now += 2 * second
        assert judge.says("cut-2") == ("yes", "")

    judged(scene, plant=replace(two_areas(), ladder=Ladder(area_per_s=2.0)), store=memory)


def test_a_command_carries_what_it_was_judged_by_and_its_proof(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.migrate()

    async def play() -> None:
        bench = Bench(replace(two_areas(), interlocks=(HOT,)), store)
        bench.devices.measure("cut-3", roles.JOB_GOOD, 200)
        async with bench.act():
            name = await bench.propose("cut-1")
            await bench.forward(2)
        row = bench.row(name)
        assert (row.decision, row.plan) == ("d", 7)
        with store.read() as session:
            steps = {s.status: s for s in session.scalars(select(CommandStep))}

        def told(status: str) -> dict[str, float]:
            roles_of = {p.id: p.role for p in bench.plant.points}
            return {roles_of[s["point"]]: s["value"] for s in steps[status].samples}

        assert told("sent") == {
            roles.UNIT_MODE: UnitMode.PRODUCTION,
            roles.UNIT_STATE: UnitState.IDLE,
            roles.JOB_GOOD: 200,
        }
        assert told("proven") == {roles.JOB_KEY: row.key, roles.JOB_STATE: 3}
        assert all(s["t_ns"] > 0 for s in steps["sent"].samples)

    run(play)
    store.close()
