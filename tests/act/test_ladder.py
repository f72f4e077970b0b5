"""The ladder: what each rung lets out, the queue of a person, take-over, stop, and when the brain steps down by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.act.virtual_bench import Bench, two_areas
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.autonomy import (
    autonomy_changes,
    hand_back,
    resume_brain,
    set_level,
    stop_brain,
    take_over,
)
from zhongshu.kernel.store.signed import Refused
from zhongshu.kernel.virtual import run
from zhongshu.model import roles
from zhongshu.model.autonomy import Level
from zhongshu.model.commands import Result, Verb
from zhongshu.model.states import UnitMode, UnitState

Play = Callable[[Bench], Awaitable[None]]


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.migrate()
    yield store
    store.close()


def play(store: Store, scene: Play, **ladder: object) -> None:
    async def on_the_bench() -> None:
        await scene(Bench(two_areas(**ladder), store))

    run(on_the_bench)


def test_on_act_it_sends_by_itself(file_store: Store) -> None:
    async def scene(bench: Bench) -> None:
        async with bench.act():
            name = await bench.propose("cut-1")
            await bench.forward(2)
        assert [s[0] for s in bench.steps(name)] == ["proposed", "approved", "sent", "accepted", "proven"]
        assert bench.row(name).approved_by == "ladder"

    play(file_store, scene)


def test_on_approve_it_waits_for_a_named_person(store: Store) -> None:
    async def scene(bench: Bench) -> None:
        async with bench.act():
            name = await bench.propose("cut-1")
            await bench.forward(30)
            assert bench.row(name).waits
            assert not bench.devices.asked
            bench.rule(name, "approve", "Li", "rush order")
            await bench.forward(2)
        row = bench.row(name)
        assert (row.status, row.approved_by, row.waits) == ("proven", "Li", False)
        assert ("approved", "rush order", "Li") in bench.steps(name)
        assert ("proposed", "waits_for_approval", "act") in bench.steps(name)

    play(store, scene, default=Level.APPROVE)


def test_what_a_person_rejects_is_refused_in_their_name(file_store: Store) -> None:
    async def scene(bench: Bench) -> None:
        async with bench.act():
            name = await bench.propose("cut-1")
            await bench.forward(1)
            bench.rule(name, "reject", "Li", "die is worn")
            await bench.forward(1)
        assert bench.steps(name)[-1] == ("refused", "rejected: die is worn", "Li")
        assert not bench.devices.asked

    play(file_store, scene, default=Level.APPROVE)


def test_what_nobody_approves_expires_and_can_no_longer_be_approved(file_store: Store) -> None:
    async def scene(bench: Bench) -> None:
        async with bench.act():
            name = await bench.propose("cut-1")
            await bench.forward(119)
            assert bench.row(name).status == "proposed"
            await bench.forward(2)
            assert bench.steps(name)[-1][:2] == ("expired", "nobody_approved_in_time")
            with pytest.raises(Refused, match="does not wait"):
                bench.rule(name, "approve")
        assert not bench.devices.asked

    play(file_store, scene, default=Level.APPROVE, approval_s=120.0)


def test_approved_while_the_process_is_dead_goes_out_after_its_start(file_store: Store) -> None:
    async def scene(bench: Bench) -> None:
        async with bench.act():
            name = await bench.propose("cut-1")
            await bench.forward(1)
        bench.rule(name, "approve")
        async with bench.act():
            await bench.forward(2)
        assert bench.row(name).status == "proven"
        assert len(bench.devices.asked) == 1

    play(file_store, scene, default=Level.APPROVE)


def test_what_waits_is_refused_when_there_is_nothing_left_to_approve(file_store: Store) -> None:
    async def scene(bench: Bench) -> None:
        async with bench.act():
            name = await bench.propose("cut-1")
            await bench.forward(2)
            bench.devices.measure("cut-1", roles.UNIT_MODE, UnitMode.LOCAL)
            await bench.forward(1)
        assert bench.steps(name)[-1][:2] == ("refused", "not_in_production_mode")

    play(file_store, scene, default=Level.APPROVE)


def test_a_second_word_on_the_same_command_is_refused(file_store: Store) -> None:
    async def scene(bench: Bench) -> None:
        async with bench.act():
            name = await bench.propose("cut-1")
            await bench.forward(1)
            bench.rule(name, "approve", "Li")
            with pytest.raises(Refused, match="Li has said approve"):
                bench.rule(name, "reject", "Wang")

    play(file_store, scene, default=Level.APPROVE)


@pytest.mark.parametrize(("level", "said"), [(Level.OBSERVE, "area_observes"), (Level.ADVISE, "advice_only")])
def test_on_the_lower_rungs_nothing_is_sent(file_store: Store, level: Level, said: str) -> None:
    async def scene(bench: Bench) -> None:
        async with bench.act():
            name = await bench.propose("cut-1")
            other = await bench.propose("cut-3")
            await bench.forward(2)
        assert bench.steps(name)[-1][:2] == ("refused", said)
        assert bench.row(other).status == "proven"  # its area is on act
        assert [unit for unit, _, _ in bench.devices.asked] == ["cut-3"]

    play(file_store, scene, areas={"hall": level})


def test_what_a_person_asks_for_is_never_queued_but_judged_all_the_same(file_store: Store) -> None:
    async def scene(bench: Bench) -> None:
        async with bench.act():
            bench.devices.measure("cut-1", roles.UNIT_STATE, UnitState.EXECUTE)
            held = await bench.propose("cut-1", Verb.HOLD, by="Li")
            bench.devices.measure("cut-2", roles.UNIT_MODE, UnitMode.LOCAL)
            refused = await bench.propose("cut-2", Verb.HOLD, by="Li")
            await bench.forward(2)
        assert bench.row(held).status == "proven"
        assert bench.steps(refused)[-1][:2] == ("refused", "not_in_production_mode")

    play(file_store, scene, default=Level.OBSERVE)


def test_a_level_that_changes_reaches_what_waits(file_store: Store) -> None:
    async def scene(bench: Bench) -> None:
        async with bench.act():
            first = await bench.propose("cut-1")
            second = await bench.propose("cut-2")
            await bench.forward(1)
            bench.say(set_level, "hall", "act", bench.person())
            await bench.forward(1)
            assert bench.row(first).status == bench.row(second).status == "proven"
            bench.devices.measure("cut-3", roles.UNIT_MODE, UnitMode.PRODUCTION, quality=2)
            third = await bench.propose("cut-3")  # approved? its mode is not known, it waits
            await bench.forward(1)
            bench.say(set_level, "yard", "observe", bench.person())
            await bench.forward(1.5)  # act looks once a second
            assert bench.steps(third)[-1][:2] == ("refused", "area_observes")

    play(file_store, scene, areas={"hall": Level.APPROVE})


def test_a_unit_taken_over_gets_nothing_from_the_brain_until_it_is_handed_back(file_store: Store) -> None:
    async def scene(bench: Bench) -> None:
        async with bench.act():
            bench.say(take_over, bench.person("Li"), unit="cut-1")
            name = await bench.propose("cut-1")
            by_hand = await bench.propose("cut-1", by="Li")
            await bench.forward(2)
            assert bench.steps(name)[-1][:2] == ("refused", "taken_over")
            assert bench.row(by_hand).status == "proven"
            bench.devices.done("cut-1")
            with pytest.raises(Refused, match="Li has taken over"):
                bench.say(take_over, bench.person("Wang"), unit="cut-1")
            bench.say(hand_back, bench.person("Wang"), unit="cut-1")
            await bench.forward(1)
            again = await bench.propose("cut-1")
            await bench.forward(2)
            assert bench.row(again).status == "proven"

    play(file_store, scene)


def test_after_a_stop_is_in_the_store_nothing_is_sent_even_if_nobody_told_act(file_store: Store) -> None:
    """The transaction that would send looks itself: not even an act that has heard nothing yet gets past a stop."""

    async def scene(bench: Bench) -> None:
        async with bench.act() as act:
            await bench.forward(1)
            act._people.look = list  # type: ignore[method-assign] - it hears nothing
            bench.say(stop_brain, bench.person())
            name = await bench.propose("cut-1")
            await bench.forward(3)
            assert bench.row(name).status == "approved"
        assert not bench.devices.asked
        async with bench.act():
            await bench.forward(1)
        assert bench.steps(name)[-1][:2] == ("refused", "stopped_by_a_person")

    play(file_store, scene)


def test_a_stop_holds_machines_at_work_and_its_end_lets_those_go_on(store: Store) -> None:
    async def scene(bench: Bench) -> None:
        async with bench.act():
            await bench.forward(10)
            for unit in ("cut-1", "cut-3"):
                bench.devices.measure(unit, roles.UNIT_STATE, UnitState.EXECUTE)
            bench.devices.measure("cut-2", roles.UNIT_STATE, UnitState.HELD)  # held by somebody else
            bench.say(stop_brain, bench.person("Li"), area="hall", then="hold")
            await bench.forward(2)
            assert bench.devices.asked == [("cut-1", Verb.HOLD, 1)]
            bench.say(resume_brain, bench.person("Wang"), area="hall")
            await bench.forward(2)
            assert bench.devices.asked[1:] == [("cut-1", Verb.UNHOLD, 2)]
        assert [bench.row(f"{p}.cut-1").by for p in ("stop.1", "resume.2")] == ["Li", "Wang"]

    play(store, scene)


def test_a_stop_given_while_act_is_dead_is_carried_out_once(file_store: Store) -> None:
    async def scene(bench: Bench) -> None:
        bench.devices.measure("cut-1", roles.UNIT_STATE, UnitState.EXECUTE)
        bench.say(stop_brain, bench.person("Li"), then="stop")
        for _ in range(3):
            async with bench.act():
                await bench.forward(8)
        assert bench.devices.asked == [("cut-1", Verb.STOP, 1)]

    play(file_store, scene)


def test_nothing_is_brought_to_where_the_brain_is_stopped(file_store: Store) -> None:
    async def scene(bench: Bench) -> None:
        bench.say(stop_brain, bench.person(), area="hall")
        async with bench.act():
            drive = {"lot": 9, "route": ["n0", "n1"], "pick_unit": "cut-3", "drop_unit": "cut-1"}
            name = await bench.propose("agv-0", Verb.TRANSPORT, **drive)
            await bench.forward(2)
        assert bench.steps(name)[-1][:2] == ("refused", "stopped_by_a_person")

    play(file_store, scene)


# --- stepping down


async def _miss(bench: Bench, unit: str, times: int = 1) -> None:
    for _ in range(times):
        bench.devices.silent = True
        await bench.propose(unit)
        await bench.forward(30)


def test_three_commands_without_proof_take_the_area_one_rung_down(store: Store) -> None:
    async def scene(bench: Bench) -> None:
        async with bench.act():
            await _miss(bench, "cut-1", 2)
        async with bench.act() as act:  # what was counted survives
            await bench.forward(0.1)
            assert bench.level(act, "cut-1") is Level.ACT
            await _miss(bench, "cut-2")
            assert bench.level(act, "cut-1") is Level.APPROVE
            assert bench.level(act, "cut-3") is Level.ACT
            bench.devices.silent = False
            name = await bench.propose("cut-2")
            await bench.forward(1)
            assert bench.row(name).waits
        with bench.store.read() as session:
            changes = autonomy_changes(session, bench.plant.id)
        assert [(c.before, c.value, c.by, c.note) for c in changes] == [
            ("act", "approve", "brain", "failed_confirmations: 3")
        ]

    play(store, scene)


def test_failures_of_long_ago_do_not_count(file_store: Store) -> None:
    async def scene(bench: Bench) -> None:
        async with bench.act() as act:
            await _miss(bench, "cut-1", 2)
            await bench.forward(60)  # ten plant minutes
            await _miss(bench, "cut-2", 2)
            assert bench.level(act, "cut-1") is Level.ACT

    play(file_store, scene, within_s=600.0)


@pytest.mark.parametrize("what", ["broken", "local", "silent", "person", "refusal"])
def test_a_device_s_own_trouble_and_people_s_commands_never_count(file_store: Store, what: str) -> None:
    async def scene(bench: Bench) -> None:
        async with bench.act() as act:
            for unit in ("cut-1", "cut-2", "cut-1", "cut-2"):
                for role, value in (
                    (roles.UNIT_STATE, UnitState.IDLE),
                    (roles.UNIT_MODE, UnitMode.PRODUCTION),
                ):
                    bench.devices.measure(unit, role, value)
                bench.devices.silent = True
                if what == "refusal":
                    bench.devices.silent, bench.devices.refuse = False, Result.BUSY
                await bench.propose(unit, by="Li" if what == "person" else "brain")
                await bench.forward(1)
                match what:
                    case "broken":
                        bench.devices.measure(unit, roles.UNIT_STATE, UnitState.ABORTED)
                    case "local":
                        bench.devices.measure(unit, roles.UNIT_MODE, UnitMode.LOCAL)
                    case "silent":
                        bench.devices.measure(unit, roles.UNIT_STATE, UnitState.IDLE, quality=2)
                await bench.forward(30)
            assert act.counts["refused" if what == "refusal" else "unknown"] == 4
            assert bench.level(act, "cut-1") is Level.ACT

    play(file_store, scene, fresh_share=0.0)


def test_stale_data_take_an_area_one_rung_down_once(file_store: Store) -> None:
    async def scene(bench: Bench) -> None:
        async with bench.act() as act:
            await bench.forward(40)
            for point in bench.plant.unit_of["cut-3"].points:
                bench.devices.measure("cut-3", point.role, 4, quality=2)
            for point in bench.plant.unit_of["agv-0"].points:
                bench.devices.measure("agv-0", point.role, 4, quality=2)
            await bench.forward(28)
            assert bench.level(act, "cut-3") is Level.ACT
            await bench.forward(5)
            assert (bench.level(act, "cut-3"), bench.level(act, "cut-1")) == (Level.APPROVE, Level.ACT)
            await bench.forward(120)
            assert bench.level(act, "cut-3") is Level.APPROVE
            with pytest.raises(Refused):
                bench.say(set_level, "yard", "approve", bench.person())
            bench.say(set_level, "yard", "act", bench.person())
            await bench.forward(1)
            assert bench.level(act, "cut-3") is Level.ACT

    play(file_store, scene)


def test_a_plant_that_is_not_switched_on_yet_is_not_stale(file_store: Store) -> None:
    async def scene(bench: Bench) -> None:
        for unit in bench.plant.units:
            for point in unit.points:
                bench.devices.measure(unit.id, point.role, 4, quality=2)
        async with bench.act() as act:
            await bench.forward(200)
            assert bench.level(act, "cut-1") is Level.ACT

    play(file_store, scene)


# --- what became of an unknown command


def test_a_named_person_may_say_what_became_of_an_unknown_command(store: Store) -> None:
    async def scene(bench: Bench) -> None:
        bench.devices.idle_hands = True
        async with bench.act() as act:
            first, second = await bench.propose("cut-1"), await bench.propose("cut-2")
            await bench.forward(20)
            assert act.unknown == 2
            with pytest.raises(Refused, match="does not wait"):
                bench.rule(first, "approve")
            bench.rule(first, "proven", "Li", "I see it running")
        bench.rule(second, "failed", "Wang")
        async with bench.act() as act:
            await bench.forward(3)
            assert act.unknown == 0
        assert bench.steps(first)[-1] == ("proven", "said_by_a_person: I see it running", "Li")
        assert bench.steps(second)[-1] == ("failed", "said_by_a_person", "Wang")

    play(store, scene)
