"""Local shifts, maintenance, deliveries and tariffs as ticks from now, also across midnight and daylight saving time."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from tests.decide.planning.plants import NOW
from tests.decide.small_plant import label
from zhongshu.decide.planning.calendar import arrivals, closed, prices
from zhongshu.decide.scheduling.problem import Closed
from zhongshu.kernel.clock import NS
from zhongshu.model.planning import Arrival, Maintenance, Material, Pool
from zhongshu.model.plant import Shift, TariffBand
from zhongshu.model.worktime import Days, joined, levels, maintenance_of, off_work, without

H = 3600
EVERY = tuple(range(7))
#: Monday 12:00 in Shanghai, two days ahead.
DAYS = Days("Asia/Shanghai", NOW, 48 * H)


def shift(
    name: str, start: float, end: float, *breaks: tuple[int, int], days: tuple[int, ...] = EVERY
) -> Shift:
    return Shift(name, label(name), days, round(60 * start), round(60 * end), breaks)


def test_nights_and_breaks_are_off_work() -> None:
    day = shift("day", 8, 16, (13 * 60, 13 * 60 + 30))
    assert off_work([day], DAYS) == [
        (1 * H, 1 * H + 1800), (4 * H, 20 * H), (25 * H, 25 * H + 1800), (28 * H, 44 * H),
    ]  # fmt: skip


def test_last_nights_shift_still_goes_on() -> None:
    night = shift("night", 22, 22 + 15, days=(6,))  # from Sunday 22:00 to Monday 13:00
    assert off_work([night], DAYS)[0] == (1 * H, 48 * H)


def test_a_week_end_is_off_work() -> None:
    assert off_work([shift("day", 0, 24, days=(0,))], DAYS) == [(12 * H, 48 * H)]


def test_no_shifts_mean_always() -> None:
    assert off_work([], DAYS) == []


def test_shifts_that_follow_one_another_have_no_gap() -> None:
    assert off_work([shift("day", 8, 20), shift("night", 20, 32)], DAYS) == []


def test_daylight_saving_time_is_known() -> None:
    # Sunday 2026-10-25 in Berlin has 25 hours; it is midnight before it.
    now = round(datetime(2026, 10, 24, 22, tzinfo=UTC).timestamp()) * NS
    days = Days("Europe/Berlin", now, 30 * H)
    assert off_work([shift("day", 6, 14)], days)[:2] == [(0, 7 * H), (15 * H, 30 * H)]


def test_maintenance_every_week_and_once() -> None:
    planned = [
        Maintenance("oil", label("oil"), ("a", "b"), (0,), "", 13 * 60, 14 * 60),
        Maintenance("belt", label("belt"), ("b",), (), "2026-11-24", 0, 60),
        Maintenance("gone", label("gone"), ("a",), (), "2026-11-22", 0, 60),
    ]
    assert maintenance_of(planned, DAYS) == {"a": [(H, 2 * H)], "b": [(H, 2 * H), (12 * H, 13 * H)]}


def test_maintenance_cuts_breaks_and_overtime_opens_nights_only() -> None:
    assert closed([(0, 10), (20, 40)], [(5, 8), (30, 50)], [(22, 35)]) == (
        Closed(0, 5), Closed(5, 8, resumable=False), Closed(8, 10), Closed(20, 22), Closed(30, 50, resumable=False),
    )  # fmt: skip


def test_levels_of_people_by_shift() -> None:
    shifts = {"early": shift("early", 6, 14), "late": shift("late", 14, 22)}
    crew = Pool("crew", label("crew"), "crew", 1, {"early": 5, "late": 3})
    assert levels(crew, shifts, Days("Asia/Shanghai", NOW, 24 * H)) == (
        (0, 5), (2 * H, 3), (10 * H, 1), (18 * H, 5), (24 * H, 1),
    )  # fmt: skip
    assert levels(Pool("die", label("die"), "tool", 2), {}, DAYS) == ((0, 2),)


def test_arrivals_and_receipts_in_order() -> None:
    steel = Material("steel", label("steel"), "kg", 5, (Arrival((0, 1), 18 * 60, 50.0),))
    assert list(arrivals(steel, DAYS, [(100, 7.0), (-5, 9.0)])) == [(100, 7.0), (6 * H, 50.0), (30 * H, 50.0)]


def test_prices_follow_the_tariff() -> None:
    tariff = (
        TariffBand(label("low"), 0, 480, 0.36),
        TariffBand(label("high"), 480, 1200, 1.08),
        TariffBand(label("low"), 1200, 1440, 0.36),
    )
    assert prices(tariff, Days("Asia/Shanghai", NOW, 24 * H)) == ((0, 300), (8 * H, 100), (20 * H, 300))
    assert prices((), DAYS) == ()


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6)


@given(a=spans, b=spans)
def test_cutting_out_leaves_exactly_the_rest(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> None:
    def ticks(of: list[tuple[int, int]]) -> set[int]:
        return {t for x, y in of for t in range(x, y)}

    left = without(joined(a), joined(b))
    assert ticks(left) == ticks(a) - ticks(b)
    assert left == sorted(left)
    assert all(x < y for x, y in left)
    both = closed(joined(a), joined(b), [])
    assert ticks([(c.start, c.end) for c in both]) == ticks(a) | ticks(b)
    assert ticks([(c.start, c.end) for c in both if not c.resumable]) == ticks(b)
    assert all(x.end <= y.start for x, y in itertools.pairwise(both))
