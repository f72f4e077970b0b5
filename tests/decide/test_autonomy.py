"""Decide under the ladder: what is closed to it, what it has advised and when that is of the past, what the planner is told."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from tests.decide.imaginary_floor import ImaginaryFloor
from tests.decide.small_plant import make_plant
from zhongshu.decide.decide import Decide
from zhongshu.decide.floor import Floor
from zhongshu.decide.planner.planner import Planner
from zhongshu.decide.progress import ATTEMPTS_MAX
from zhongshu.decide.work import Advice, Hold, LotStatus
from zhongshu.kernel.clock import wall_clock
from zhongshu.kernel.latest import Latest
from zhongshu.kernel.memory_bus import MemoryBus
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.autonomy import take_over
from zhongshu.kernel.store.signed import Signed
from zhongshu.kernel.wire import publish_event
from zhongshu.model.autonomy import Autonomy, Level, Said, Standing
from zhongshu.model.messages import AutonomyChanged, CommandChanged

PLANT = make_plant({"cut-1": "a-cut", "cut-2": "a-cut"})


def floor(**units: Standing) -> ImaginaryFloor:
    """Two machines, two vehicles, an order of one lot; ``units`` by id with _ for -."""
    made = ImaginaryFloor(PLANT, 1)
    made.work.judge_anew(Autonomy(1, {}, {name.replace("_", "-"): s for name, s in units.items()}))
    made.order("W-1", 5)
    made.release()
    return made


@pytest.mark.parametrize(
    ("standing", "open_"),
    [
        (Standing(Level.ACT), True),
        (Standing(Level.APPROVE), True),
        (Standing(Level.ADVISE), True),
        (Standing(Level.OBSERVE), False),
        (Standing(Level.ACT, taken="Li"), False),
        (Standing(Level.ACT, stopped="Li"), False),
    ],
)
def test_what_is_closed_gets_no_work(standing: Standing, open_: bool) -> None:
    assert floor(cut_1=standing).work.commandable("cut-1") is open_
    assert floor(cut_1=standing).work.commandable("cut-2")


def refused(it: ImaginaryFloor, detail: str, status: str = "refused") -> None:
    """The proposal that is out for the lot ends so."""
    (lot,) = it.work.lots.values()
    told = (
        "small",
        "act",
        it.now_ns,
        7,
        lot.proposal,
        lot.target or lot.place,
        "START_JOB",
        status,
        detail,
        "",
    )
    it.progress.apply(CommandChanged(*told))


def test_advice_stands_until_the_unit_or_the_ladder_changes() -> None:
    it = floor()
    (lot,) = it.work.lots.values()
    lot.status, lot.proposal, lot.target, lot.place = LotStatus.STARTING, "p", "cut-1", "cut-1"
    it.progress.proposed("p", lot)
    refused(it, Said.ADVICE)
    assert it.work.advised == {"cut-1": Advice(lot.number, "")}
    assert it.work.advised_on(lot.number)
    latest = Latest(PLANT)
    Floor(it.work, latest).refresh()  # nothing is known of the unit: something may have happened with it
    assert not it.work.advised
    it.work.advised["cut-1"] = Advice(lot.number, "")
    it.work.judge_anew(replace(it.work.autonomy, version=2))
    assert it.work.advised  # another area changed
    it.work.judge_anew(Autonomy(3, {}, {"cut-1": Standing(Level.ACT)}))
    assert not it.work.advised


@pytest.mark.parametrize("said", [s for s in Said if s is not Said.WAITS])
def test_the_ladder_and_people_put_no_lot_on_hold(said: Said) -> None:
    it = floor()
    (lot,) = it.work.lots.values()
    for detail, held in ((said, Hold.NO), ("busy: not now", Hold.REFUSED)):
        lot.status, lot.proposal, lot.target, lot.place = LotStatus.STARTING, f"p{held}", "cut-1", "cut-1"
        lot.attempt = ATTEMPTS_MAX - 1
        it.progress.proposed(lot.proposal, lot)
        refused(it, detail)
        assert lot.hold is held


@pytest.mark.timeout(60)
def test_the_planner_is_told_of_a_unit_in_a_person_s_hands(store: Store) -> None:
    async def play() -> None:
        decide = Decide(PLANT, MemoryBus(), store, wall_clock(), Latest(PLANT))
        with store.begin() as session:
            take_over(session, PLANT, Signed("Li", 1), unit="cut-1")
        decide.work.judge_anew(decide._read_autonomy())
        decide.work.states = dict.fromkeys(PLANT.unit_of, ("IDLE", "PRODUCTION"))
        told = json.loads(await decide._tell_floor(b""))["states"]
        assert told["cut-1"] == ["IDLE", "MANUAL"]
        assert told["cut-2"] == ["IDLE", "PRODUCTION"]

    asyncio.run(play())


@pytest.mark.parametrize(("kind", "wanted"), [("taken", True), ("level", False), ("stopped", False)])
async def test_only_a_take_over_is_a_reason_to_plan_anew(store: Store, kind: str, wanted: bool) -> None:
    bus = MemoryBus()
    planner = Planner(PLANT, bus, store, wall_clock())
    change = AutonomyChanged("small", "web", 1, 1, "unit:cut-1", kind, "", "taken", "Li", "")
    following = asyncio.create_task(planner._follow())
    await asyncio.sleep(0)
    await publish_event(bus, change)
    for _ in range(20):
        await asyncio.sleep(0.01)
    following.cancel()
    assert [(t.kind, t.subject) for t in planner._triggers] == ([("people", "Li")] if wanted else [])
