"""Maintenance and overtime, deliveries and tariff in local time → closed times, arrivals and prices in ticks from now; read by
build."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from zhongshu.decide.scheduling.problem import Closed
from zhongshu.model.planning import Material
from zhongshu.model.plant import TariffBand
from zhongshu.model.worktime import Days, Span, joined, without


def closed(off: Sequence[Span], hard: Sequence[Span], overtime: Sequence[Span]) -> tuple[Closed, ...]:
    """Closed times of a unit: ``off`` work may pause over unless it is overtime, ``hard`` (joined) nothing may span."""
    soft = without(without(off, joined(overtime)), hard)
    both = [Closed(a, b) for a, b in soft] + [Closed(a, b, resumable=False) for a, b in hard]
    return tuple(sorted(both, key=lambda c: c.start))


def arrivals(
    material: Material, days: Days, receipts: Iterable[tuple[int, float]] = ()
) -> Iterator[tuple[int, float]]:
    """(tick, quantity) of what comes in regularly and of single receipts, sorted."""
    made = [
        (days.tick(day, arrival.at_min), arrival.quantity)
        for arrival in material.arrivals
        for day in days.days
        if day.weekday() in arrival.days
    ]
    yield from sorted((t, q) for t, q in [*made, *receipts] if 0 < t < days.horizon)


def prices(tariff: Sequence[TariffBand], days: Days) -> tuple[Span, ...]:
    """(from tick, price of 1,000 kW ticks in thousandths of the currency)."""
    made: list[Span] = []
    for day in days.days if tariff else ():
        for band in tariff:
            a, b = days.tick(day, band.start_min), days.tick(day, band.end_min)
            price = round(band.price * 1e6 / 3600)
            if b > 0 and a < days.horizon and (not made or made[-1][1] != price):
                made.append((max(a, 0), price))
    return tuple(made)
