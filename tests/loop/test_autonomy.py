"""The whole brain under the ladder: advice instead of orders, a queue that people work off, units taken over, a stop."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from sqlalchemy import select

from tests.loop.rehearsal import Rehearsal
from tests.twin.small import EXACT, small_plant
from zhongshu.kernel.clock import NS
from zhongshu.kernel.store.autonomy import hand_back, resume_brain, set_level, stop_brain, take_over
from zhongshu.kernel.store.rulings import rule_on
from zhongshu.kernel.store.signed import Signed
from zhongshu.kernel.store.tables import Command
from zhongshu.kernel.virtual import run
from zhongshu.model.autonomy import Ladder, Level
from zhongshu.model.commands import Verb
from zhongshu.model.plant import Plant


def on(level: Level) -> Plant:
    """The small plant on one rung."""
    return replace(small_plant(), ladder=Ladder(default=level))


def say(it: Rehearsal, deed: object, *args: object, **named: object) -> None:
    """A person changes something, as through the web."""
    with it.store.begin() as session:
        deed(session, it.plant, *args, Signed("Li", it.clock.now_ns()), **named)  # type: ignore[operator]
    it.outbox.poke()


def ends(it: Rehearsal) -> Counter[tuple[str, str]]:
    """(status, detail) of all commands."""
    with it.store.read() as session:
        return Counter((c.status, c.detail) for c in session.scalars(select(Command)))


def test_advice_is_said_once_and_becomes_work_when_people_allow_it() -> None:
    async def play() -> None:
        async with Rehearsal(on(Level.ADVISE), EXACT, 1) as it:
            for _ in range(3):
                it.order("tray", 4)
            it.order("box", 4)
            await it.forward(40.0)
            told = ends(it)
            assert set(told) == {("refused", "advice_only")}
            assert told.total() <= len(it.plant.units)  # one a unit, not one a pass
            assert not it.holds.calls
            await it.die(1.0)
            await it.forward(40.0)
            assert ends(it).total() <= 2 * len(it.plant.units)
            say(it, set_level, "shop", "act")
            await it.until_done(3.0)
            await it.settle()

    run(play)


def test_on_observe_nothing_is_even_proposed() -> None:
    async def play() -> None:
        async with Rehearsal(on(Level.OBSERVE), EXACT, 2) as it:
            it.order("tray", 4)
            await it.forward(30.0)
            assert not ends(it)
            say(it, set_level, "shop", "act")
            await it.until_done(3.0)
            await it.settle()

    run(play)


def test_people_who_approve_everything_get_everything_made() -> None:
    async def play() -> None:
        async with Rehearsal(on(Level.APPROVE), EXACT, 3) as it:
            for product in ("tray", "box", "tray"):
                it.order(product, 4)
            while not it.holds.all_done():
                await it.forward(3.0)
                _work_off(it, "approve")
                if it.random.random() < 0.05:
                    await it.die(1.0)
                assert it.clock.now_ns() < it.holds.begun_ns + 12 * 3600 * NS  # plant time
            await it.settle()
            with it.store.read() as session:
                assert {c.approved_by for c in session.scalars(select(Command))} == {"Li"}

    run(play)


def test_what_is_rejected_again_and_again_holds_no_lot_and_is_not_hurried() -> None:
    async def play() -> None:
        async with Rehearsal(on(Level.APPROVE), EXACT, 4) as it:
            it.order("tray", 4)
            for _ in range(60):
                await it.forward(5.0)
                _work_off(it, "reject")
            rejected = sum(n for (_, detail), n in ends(it).items() if detail == "rejected")
            assert 2 <= rejected <= 5  # every half hour of 100 plant minutes
            say(it, set_level, "shop", "act")
            await it.until_done(3.0)
            await it.settle()

    run(play)


def _work_off(it: Rehearsal, word: str) -> None:
    with it.store.begin() as session:
        for row in list(session.scalars(select(Command).where(Command.waits.is_(True)))):
            rule_on(session, it.plant.id, row.key, word, Signed("Li", it.clock.now_ns()))
    it.outbox.poke()


def test_work_goes_round_a_unit_that_a_person_has() -> None:
    async def play() -> None:
        async with Rehearsal(small_plant(), EXACT, 5) as it:
            say(it, take_over, unit="press-1")
            await it.forward(2.0)
            for _ in range(4):
                it.order("tray", 4)
            await it.until_done(4.0)
            await it.settle()
            assert not it.holds.asked["press-1", Verb.START_JOB]
            assert it.holds.asked["press-2", Verb.START_JOB] == 4
            assert set(ends(it)) and not any(detail == "taken_over" for _, detail in ends(it))
            say(it, hand_back, unit="press-1")
            await it.forward(2.0)
            for _ in range(4):
                it.order("tray", 4)
            await it.until_done(4.0)
            await it.settle()
            assert it.holds.asked["press-1", Verb.START_JOB] >= 1

    run(play)


def test_a_stop_in_the_middle_of_everything_loses_nothing() -> None:
    async def play() -> None:
        async with Rehearsal(small_plant(), EXACT, 6) as it:
            for product in ("tray", "box", "tray", "box"):
                it.order(product, 8)
            await it.forward(25.0)
            say(it, stop_brain, then="hold")
            await it.forward(1.0)
            asked = it.holds.asked.copy()
            asked.subtract({key: n for key, n in asked.items() if key[1] is Verb.HOLD})
            await it.forward(30.0)
            later = it.holds.asked.copy()
            later.subtract({key: n for key, n in later.items() if key[1] is Verb.HOLD})
            assert +later == +asked
            assert it.holds.asked.total() > asked.total()  # those at work were held
            await it.die(1.0)
            say(it, resume_brain)
            await it.until_done(4.0)
            await it.settle()

    run(play)
