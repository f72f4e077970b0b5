"""The process dies at any step of a command's life, again and again: nothing is forgotten, nothing is done twice."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.act.stand import Stand, Trick, Wish
from tests.twin.small import STAMP, TRAY, small_plant
from zhongshu.act.life import NEXT
from zhongshu.kernel.virtual import run
from zhongshu.model.autonomy import Said
from zhongshu.model.commands import ENDS, CommandStatus, Verb

S = CommandStatus
PRESSES = ("press-1", "press-2")
#: A command alone takes about 60 steps of a life: before, in and after every transaction, message and request.
STEPS_MAX = 90
#: What a device does not know again when it comes a second time.
WITHOUT_KEY = frozenset({Verb.SET_PARAMETER, Verb.CANCEL_TRANSPORT})


def _points() -> dict[str, int]:
    """Ids as they are given: in the order of the plant's points, to a store that has none yet."""
    plant = small_plant()
    return {
        u: next(i for i, p in enumerate(plant.points) if p.unit == u and p.name == "force_set")
        for u in PRESSES
    }


POINTS = _points()
#: Rarely all is well; what comes after the last trick is.
TRICKS = st.lists(st.sampled_from(Trick), min_size=1, max_size=3).map(tuple)
VERBS = st.sampled_from(
    [Verb.SET_PARAMETER, Verb.START_JOB, Verb.TRANSPORT, Verb.START_JOB, Verb.CANCEL_TRANSPORT, *Verb]
)
#: Where the vehicles go, out of one another's way: nobody has to give way, by a command that nobody wished for.
WAYS = {"agv-1": ["lane-06", "lane-05"], "agv-2": ["lane-05", "lane-03"]}
WORDS = st.sampled_from(["approve", "approve", "approve", "reject", ""])
DEATHS = st.tuples(st.integers(1, STEPS_MAX), st.sampled_from([0.5, 5.0, 14.0, 18.0]))
#: On act more often than on approve.
QUEUES = st.sampled_from([False, False, True])


@st.composite
def wishes(draw: st.DrawFn) -> list[Wish]:
    """A few things in a row, some of which cannot be: those must be refused, not forgotten."""
    made = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        verb = draw(VERBS)
        unit, args = _asked(draw, verb, number)
        made.append(
            Wish(
                unit,
                verb,
                args,
                draw(TRICKS),
                draw(st.sampled_from([0.0, 0.3, 2.0, 7.0])),
                draw(WORDS),
                draw(st.booleans()),
            )
        )
    return made


def _asked(draw: st.DrawFn, verb: Verb, number: int) -> tuple[str, dict[str, Any]]:
    if verb in (Verb.TRANSPORT, Verb.CANCEL_TRANSPORT):
        unit = draw(st.sampled_from(sorted(WAYS)))
        drive = {
            "lot": 0,
            "route": WAYS[unit],
            "pick_at": -1,
            "drop_at": -1,
            "pick_unit": "",
            "drop_unit": "",
        }
        return unit, drive if verb is Verb.TRANSPORT else {}
    unit = draw(st.sampled_from(PRESSES))
    if verb is Verb.SET_PARAMETER:
        return unit, {"point": POINTS[unit], "value": 200.0 + number}
    if verb is Verb.START_JOB:
        operation = draw(st.sampled_from([STAMP, STAMP, STAMP, 99]))
        return unit, {"lot": number, "product": TRAY, "operation": operation, "quantity": 4}
    return unit, {}


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(wishes(), st.lists(DEATHS, min_size=1, max_size=4), QUEUES)
def test_whenever_it_dies(wishes: list[Wish], deaths: list[tuple[int, float]], approve: bool) -> None:
    played(wishes, deaths, approve=approve)


@pytest.mark.long
@pytest.mark.timeout(3000)
@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(wishes(), st.lists(DEATHS, max_size=6), QUEUES)
def test_whenever_it_dies_much_more(
    wishes: list[Wish], deaths: list[tuple[int, float]], approve: bool
) -> None:
    played(wishes, deaths, approve=approve)


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("trick", Trick)
@pytest.mark.parametrize("verb", [Verb.START_JOB, Verb.TRANSPORT, Verb.SET_PARAMETER])
def test_at_every_single_step(verb: Verb, trick: Trick) -> None:
    """One command; the first life ends after one step, then after two, and so on until it lives through."""
    unit = "agv-1" if verb is Verb.TRANSPORT else "press-1"
    args: dict[str, Any] = {
        Verb.START_JOB: {"lot": 1, "product": TRAY, "operation": STAMP, "quantity": 4},
        Verb.SET_PARAMETER: {"point": POINTS["press-1"], "value": 321.0},
        Verb.TRANSPORT: {
            "lot": 0,
            "route": WAYS[unit],
            "pick_at": -1,
            "drop_at": -1,
            "pick_unit": "",
            "drop_unit": "",
        },
    }[verb]
    for steps in range(1, 70):
        played([Wish(unit, verb, args, (trick,))], [(steps, 5.0)], approve=False)


def played(wishes: list[Wish], deaths: list[tuple[int, float]], *, approve: bool) -> None:
    """Play it on a store of its own and hold what came of it against what must be."""

    async def on_the_stand(folder: Path) -> None:
        async with Stand(folder, wishes, deaths, approve=approve) as stand:
            await stand.play()
            try:
                _hold(stand, approve=approve)
                told = await stand.told()
                written = {key: [s.status for s in steps] for key, steps in stand.steps().items()}
                assert told == written, "what the bus heard is not what the store has"
            except AssertionError as error:
                raise AssertionError(f"{error}\n{stand.story()}") from error

    with tempfile.TemporaryDirectory() as folder:
        run(lambda: on_the_stand(Path(folder)))


def _hold(stand: Stand, *, approve: bool) -> None:
    rows, steps = stand.commands(), stand.steps()
    names = [f"wish.{number}" for number in range(1, len(stand.wishes) + 1)]
    assert [row.proposal for row in rows] == names, "a proposal was lost or became two commands"
    unknown = 0
    for row, wish in zip(rows, stand.wishes, strict=True):
        status = S(row.status)
        assert status in ENDS, f"command {row.key} is forgotten: {status}"
        unknown += status is S.UNKNOWN
        _steps_are_legal([S(s.status) for s in steps[row.key]])
        assert stand.began[row.key] <= 1, f"command {row.key} took effect twice"
        assert stand.answered[row.key] <= 1, f"the device did command {row.key} twice"
        _asked_rightly(stand, row.key, wish)
        _told_truly(stand, row.key, row.verb, status, row.detail)
        said = stand.words.get(row.key)
        if said is not None:
            assert row.detail != Said.NOBODY, f"command {row.key}: {said} was forgotten"
        if approve and stand.asked and any(a.key == row.key for a in stand.asked):
            assert wish.word == "approve", f"command {row.key} was sent, and nobody approved it"
            assert row.approved_by == "Li"
    assert stand.act is not None
    assert stand.act.unknown == unknown, "an unknown command is not shown"


def _steps_are_legal(walk: list[S]) -> None:
    assert walk[0] is S.PROPOSED
    for before, after in pairwise(walk):
        assert after in NEXT[before], f"{before} → {after}"


def _asked_rightly(stand: Stand, key: int, wish: Wish) -> None:
    mine = [a for a in stand.asked if a.key == key]
    left_us = [a for a in mine if a.trick is not Trick.NOT_SENT]
    for request in mine:
        assert request.status == S.SENT, f"command {key} went out while the store had it as {request.status}"
        assert request.call.verb is wish.verb
        known = (
            mine[0].call.args if wish.verb is Verb.TRANSPORT else wish.args
        )  # the fleet chooses the way, once
        assert dict(request.call.args) == dict(known), f"command {key} was asked again as another one"
    if left_us:
        after = stand.steps()[key][left_us[0].steps :]
        unsent = [s.detail for s in after if s.status == S.APPROVED]
        assert not unsent, f"command {key} had left, and was called unsent: {unsent}"
    if wish.verb in WITHOUT_KEY:
        assert len(left_us) <= 1, f"command {key} ({wish.verb.name}) was sent again blindly"
        assert stand.writes[key] <= 1


def _told_truly(stand: Stand, key: int, verb: str, status: S, detail: str) -> None:
    """What the book says took effect did; what it says did not did not, but for what was broken off before it was seen."""
    if verb not in (Verb.START_JOB.name, Verb.TRANSPORT.name):
        return
    if status is S.PROVEN:
        assert stand.began[key] == 1, f"command {key} is proven and never began: {detail}"
    elif status is not S.UNKNOWN and "_state=" not in detail:
        assert stand.began[key] == 0, f"command {key} is {status} ({detail}), and it took effect"
