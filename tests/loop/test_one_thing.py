"""One thing goes wrong, in the moment in which it hurts most."""

from __future__ import annotations

from collections import Counter

from tests.loop.rehearsal import Rehearsal
from tests.twin.small import EXACT, small_plant
from zhongshu.kernel.clock import NS
from zhongshu.kernel.virtual import run
from zhongshu.kernel.wire import publish_event
from zhongshu.model.commands import Verb
from zhongshu.model.messages import Proposed


def test_a_lot_stays_on_board_when_its_transport_is_cancelled() -> None:
    async def play() -> None:
        async with Rehearsal(small_plant(), EXACT, 1) as it:
            it.order("tray", 4)
            vehicles = it.twin.floor.vehicles.values()
            while not (loaded := [v for v in vehicles if v.load and v.driving]):
                await it.forward(0.2)
            await _asked_by_a_person(it, loaded[0].unit.id, Verb.CANCEL_TRANSPORT)
            await it.until_done(2.0)
            await it.settle()
            drives = [c for c in it.holds.calls.values() if c.verb is Verb.TRANSPORT and c.args["lot"]]
            assert Counter(c.unit for c in drives) == {loaded[0].unit.id: 2}
            assert drives[1].args["pick_unit"] == ""
            assert 0 <= drives[1].args["pick_at"] <= drives[1].args["drop_at"]

    run(play)


def test_a_job_that_began_unseen_is_not_begun_again_elsewhere() -> None:
    """The answer is lost, then the connection, for longer than the command is valid; the job itself goes on."""

    async def play() -> None:
        async with Rehearsal(small_plant(), EXACT, 2) as it:
            await it.forward(3.0)
            it.wires["machines"].hang(2.0, one_way=True)
            it.order("tray", 4)
            await it.forward(1.5)
            it.wires["machines"].cut(75.0)
            await it.until_done(3.0)
            await it.settle()

    run(play)


def test_what_is_asked_twice_is_done_once() -> None:
    """Requests arrive and nothing comes back, so the same key goes out again while nobody knows better."""

    async def play() -> None:
        async with Rehearsal(small_plant(), EXACT, 3) as it:
            await it.forward(3.0)
            it.wires["machines"].hang(10.0, one_way=True)
            it.order("tray", 4)
            await it.until_done(2.0)
            await it.settle()
            assert it.holds.asked["press-1", Verb.START_JOB] > 1

    run(play)


def test_a_request_that_never_arrived_is_found_out_by_measuring() -> None:
    async def play() -> None:
        async with Rehearsal(small_plant(), EXACT, 4) as it:
            await it.forward(3.0)
            it.wires["machines"].hang(80.0)
            it.order("tray", 4)
            await it.until_done(4.0)
            await it.settle()

    run(play)


def test_news_may_come_before_the_command_they_belong_to() -> None:
    """Act's own word is slow to get out; jobs and drives end before decide hears under which key they went."""

    async def play() -> None:
        async with Rehearsal(small_plant(), EXACT, 6) as it:
            it.slow["CommandChanged"] = 3.0
            it.order("tray", 2)
            for _ in range(6):
                await it.forward(5.0)
                await it.die(0.5)
            it.slow.clear()
            await it.until_done(4.0)
            await it.settle()

    run(play)


def test_the_plan_goes_round_a_unit_in_local_mode() -> None:
    async def play() -> None:
        async with Rehearsal(small_plant(), EXACT, 5) as it:
            it.fault("local", "press-1")
            it.order("box", 10)
            await it.until_done(2.0)
            await it.settle()
            assert "press-1" not in {c.unit for c in it.holds.calls.values()}

    run(play)


async def _asked_by_a_person(it: Rehearsal, unit: str, verb: Verb) -> None:
    now = it.clock.now_ns()
    until = now + 60 * NS
    event = Proposed(
        it.plant.id, "web", now, f"by hand {now}", unit, verb.name, "{}", "hand", "hand", unit, until, "Li Na"
    )
    await publish_event(it.bus, event)
