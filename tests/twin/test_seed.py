"""The same seed and the same commands give the same plant day; another seed gives another one."""

from __future__ import annotations

from typing import Any

from tests.twin.small import PART, STAMP, TRAY, WASH, WILD, Bench
from zhongshu.model.commands import Verb
from zhongshu.twin.chance import Stream

_LOTS = 12


def _day(seed: int, step_s: float, *, extra: bool = False) -> list[dict[str, Any]]:
    """A scripted day: both presses are kept busy, the wash takes what the first one makes."""
    bench = Bench(WILD, seed)
    for hour in range(_LOTS):
        bench.start("press-1", 100 + hour, PART, STAMP)
        if extra:
            bench.start("press-2", 200 + hour, TRAY, STAMP)
        _pass(bench, 600, step_s)
        bench.ask("press-1", Verb.RESET)
        for lot in list(bench.floor.shop.stock.lots.values()):
            if lot.done == 1 and lot.product == PART and lot.unit == "press-1":
                bench.floor.shop.stock.move(lot, lot.where.INPUT, "wash")
                bench.start("wash", lot.number, PART, WASH)
        _pass(bench, 600, step_s)
    return bench.events


def _pass(bench: Bench, seconds: float, step_s: float) -> None:
    for _ in range(round(seconds / step_s)):
        bench.wait(step_s)


def test_equal_seeds_give_equal_days_in_whatever_steps_time_passes() -> None:
    day = _day(5, 600.0)
    assert len(day) > 200
    assert _day(5, 600.0) == day
    assert _day(5, 2.5) == day


def test_other_seeds_give_other_days() -> None:
    assert _day(6, 600.0) != _day(5, 600.0)


def test_what_one_machine_draws_never_shifts_another() -> None:
    alone = [e for e in _day(5, 600.0) if e.get("unit") == "press-1" and e["kind"] == "state"]
    with_others = [
        e for e in _day(5, 600.0, extra=True) if e.get("unit") == "press-1" and e["kind"] == "state"
    ]
    assert with_others == alone


def test_a_stream_goes_on_where_it_was() -> None:
    one = Stream(1, "a", "b")
    drawn = [one.uniform() for _ in range(1000)]
    assert [Stream(1, "a", "b", 500).uniform(), Stream(1, "a", "b").uniform()] == [drawn[500], drawn[0]]
    assert Stream(1, "a", "c").uniform() != drawn[0]
    assert Stream(2, "a", "b").uniform() != drawn[0]


def test_laws_have_the_mean_and_spread_they_are_asked_for() -> None:
    stream = Stream(3, "law", "test")
    n = 20_000
    for draw, mean, spread in (
        (lambda: stream.lognormal(10, 0.3), 10, 3.0),
        (lambda: stream.gamma(10, 0.3), 10, 3.0),
        (lambda: stream.weibull(10, 1.4), 10, 7.2),
        (lambda: stream.exponential(10), 10, 10.0),
    ):
        values = [draw() for _ in range(n)]
        average = sum(values) / n
        deviation = (sum((v - average) ** 2 for v in values) / n) ** 0.5
        assert abs(average - mean) < 0.3
        assert abs(deviation - spread) < 0.4
    counts = [stream.below(3) for _ in range(3000)]
    assert {counts.count(i) > 800 for i in range(3)} == {True}
