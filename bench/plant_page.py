"""What was measured on the kitchen's days → its section of docs/benchmarks.md: medians, and from the least to the most."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import TYPE_CHECKING

from bench.breakdowns import DOWN_S, Breakdown, Rest
from bench.plant_methods import PARAMETERS, WORKERS, Worth
from bench.sections import table

if TYPE_CHECKING:
    from bench.plant_schedule import Measurement

TITLE = "## A day of the kitchen plant, planned"
#: Days that rules and search were tuned on; they say less than others.
TUNED = range(1, 7)
#: What the day has to be for its figures to mean something: load of the bottleneck, orders on time by the best rule.
LOAD, ON_TIME = (0.85, 0.95), (0.60, 0.85)


def section(measured_on: str, days: Sequence[Measurement]) -> str:
    """The section as Markdown."""
    return "\n".join(
        [
            TITLE,
            "",
            measured_on,
            "",
            _about(days),
            "",
            *table(("in force at once, in one day", "median", "least – most"), _counts(days)),
            "",
            "### Planned from nothing",
            "",
            _methods_text(days),
            "",
            *table(
                ("plan", "objective", "of the best rule's", "weighted tardiness, h", "orders on time"),
                _methods(days),
            ),
            "",
            *table(("objective, millions, by day", *(str(d.seed) for d in days)), _by_day(days)),
            "",
            *_breakdowns([b for day in days for b in day.breakdowns]),
            *_quotes([s for day in days for s in day.quotes_s]),
        ]
    )


def _about(days: Sequence[Measurement]) -> str:
    bottleneck = ", ".join(sorted({day.bottleneck for day in days}))
    tuned = [str(day.seed) for day in days if day.seed in TUNED]
    seeds = f"{', '.join(str(d.seed) for d in days)}; tuned on: {', '.join(tuned) or 'none of them'}"
    low, high = (f"{least:.0%} to {most:.0%}" for least, most in (LOAD, ON_TIME))
    return (
        f"Seeded days of `plants/kitchen` (seeds {seeds}), in the order of seeds those on which the bottleneck is {low} busy and "
        f"the best rule leaves {high} of the orders on time. Each day's whole order book, lots mid-way, in one plan; every "
        "schedule below passed the checker. Figures are medians of the days, and from the least to the most. Bottleneck: "
        f"{bottleneck}, {_share([day.load for day in days])} busy with the work there is in the eight hours from 14:30."
    )


def _counts(days: Sequence[Measurement]) -> list[tuple[str, ...]]:
    return [(name, *_middle([d.counts[name] for d in days], "{:,.0f}")) for name in days[0].counts]


def _methods_text(days: Sequence[Measurement]) -> str:
    limit = max(days[0].ours)
    asked = [solved for day in days for solved in (day.hinted, day.unhinted) if solved is not None]
    text = (
        f"Ours is one run of {limit:g} s a day on {WORKERS} workers, looked at on the way; the first plan is there after "
        f"{_both([d.first_s for d in days], '{:.2f}')} s (compiling or loading the kernels, once in the life of a process: "
        f"{days[0].compile_s:.1f} s). The best rule is the best of all dispatching rules in all their manners (set-ups and "
        "vehicles included), chosen anew each day. "
    )
    if asked:
        settings = ", ".join(f"`{name}={value}`" for name, value in PARAMETERS.items())
        hinted = [day.hinted for day in days if day.hinted is not None]
        accepted = [solved.told[0][0] for solved in hinted if solved.told]
        thinned = " (sequences only of what lies near each other in the hint)" if asked[0].thinned else ""
        text += (
            f"CP-SAT solves the whole problem for {days[0].cp_sat_s:g} s on {WORKERS} workers ({settings}), in our own "
            f"formulation of {_both([s.variables / 1e6 for s in asked], '{:.2f}')} million variables{thinned}; the "
            f"{_both([s.build_s for s in asked], '{:.0f}')} s that it takes to build are not counted. Its hint is our first "
            f"plan, which counts for it until it has a better one: it had found a plan of its own on {len(accepted)} of "
            f"{len(hinted)} days" + (f", after {_both(accepted, '{:.1f}')} s." if accepted else ".")
        )
    return text


def _methods(days: Sequence[Measurement]) -> list[tuple[str, ...]]:
    ways: list[tuple[str, Callable[[Measurement], Worth | None]]] = [
        ("best dispatching rule", lambda day: day.rule),
        ("zhongshu, first plan", lambda day: day.first),
        *((f"zhongshu, {limit:g} s", _at(limit)) for limit in days[0].ours),
    ]
    if days[0].hinted is not None:
        looks = sorted({max(days[0].ours), days[0].cp_sat_s})
        ways += [(f"CP-SAT, hinted, {look:g} s", _hinted(look)) for look in looks]
        ways += [(f"CP-SAT, {look:g} s", _unhinted(look)) for look in looks]
    return [(name, *_row([(day, way(day)) for day in days])) for name, way in ways]


def _at(limit: float) -> Callable[[Measurement], Worth | None]:
    return lambda day: day.ours[limit]


def _hinted(look: float) -> Callable[[Measurement], Worth]:
    """The better of the hint and what was found from it: it may take the hint only in part, or not at all."""

    def better(day: Measurement) -> Worth:
        found = day.hinted.at(look) if day.hinted is not None else None
        return min((found or day.first, day.first), key=lambda worth: worth.objective)

    return better


def _unhinted(look: float) -> Callable[[Measurement], Worth | None]:
    return lambda day: day.unhinted.at(look) if day.unhinted is not None else None


def _row(found: Sequence[tuple[Measurement, Worth | None]]) -> tuple[str, ...]:
    known = [(day, worth) for day, worth in found if worth is not None]
    if not known:
        return ("no plan", "", "", "")
    some = f" ({len(known)} of {len(found)} days)" if len(known) < len(found) else ""
    return (
        _both([worth.objective / 1e6 for _, worth in known], "{:.2f}") + " million" + some,
        _share([worth.objective / day.rule.objective for day, worth in known]),
        _both([worth.tardiness / 3600 for _, worth in known], "{:.1f}"),
        _share([worth.on_time for _, worth in known]),
    )


def _by_day(days: Sequence[Measurement]) -> list[tuple[str, ...]]:
    rows = [("best dispatching rule", *(_millions(day.rule) for day in days))]
    rows += [(f"zhongshu, {limit:g} s", *(_millions(d.ours[limit]) for d in days)) for limit in days[0].ours]
    if days[0].hinted is not None:
        last = days[0].cp_sat_s
        rows.append((f"CP-SAT, hinted, {last:g} s", *(_millions(_hinted(last)(day)) for day in days)))
        rows.append((f"CP-SAT, {last:g} s", *(_millions(_unhinted(last)(day)) for day in days)))
    rows.append(("rule that was best", *(day.rule.what for day in days)))
    return rows


def _millions(worth: Worth | None) -> str:
    return "none" if worth is None else f"{worth.objective / 1e6:.2f}"


def _breakdowns(found: Sequence[Breakdown]) -> list[str]:
    if not found:
        return []
    times = sorted(b.wall_ms for b in found)
    able = [b for b in found if b.waited is not None]
    stuck = [b for b in found if b.waited is None]
    rows = [
        *_rests("just waiting", [(b, b.waited) for b in able]),
        *_rests("repaired", [(b, b.repaired) for b in able]),
        *_rests("repaired, then searched", [(b, b.improved) for b in able]),
        *_rests("repaired, where waiting was no plan", [(b, b.repaired) for b in stuck]),
        *_rests("repaired, then searched, there", [(b, b.improved) for b in stuck]),
    ]
    text = (
        f"{len(found)} breakdowns: the busiest powder booth is down for {DOWN_S // 60} min from a random moment of the plan "
        f"in force, {_both([b.tasks for b in found], '{:,.0f}')} operations still to be done. From the problem to the "
        f"repaired and checked plan: **{median(times):.0f} ms** (median), {times[-1]:.0f} ms at most. "
        f"Just waiting was no plan at all in {len(stuck)} of them; in "
        f"{sum(not b.mended for b in found)} the plan could not be mended and the rules made a new one."
    )
    head = (
        "rest of the day",
        "breakdowns",
        "objective, of that without the breakdown",
        "weighted tardiness, h",
        "operations moved",
    )
    note = "Objectives are without the price of moved operations; those that begin soon and lie elsewhere count as moved."
    return ["### A machine breaks down", "", text, "", *table(head, rows), "", note, ""]


def _rests(name: str, found: Sequence[tuple[Breakdown, Rest | None]]) -> list[tuple[str, ...]]:
    """One row over these breakdowns, which are the same in every row that is to be compared."""
    known = [(b, rest) for b, rest in found if rest is not None]
    if not known:
        return []
    share = _share([rest.objective / b.undisturbed.objective for b, rest in known])
    late = _both([rest.tardiness / 3600 for _, rest in known], "{:.1f}")
    return [(name, str(len(known)), share, late, _both([rest.moved for _, rest in known], "{:.0f}"))]


def _quotes(seconds: Sequence[float]) -> list[str]:
    if not seconds:
        return []
    text = (
        f'{len(seconds)} times "when could this order be done, without making another later?", asked at the planner\'s desk: '
        f"answered in {median(seconds):.2f} s (median), {max(seconds):.2f} s at most."
    )
    return ["### A quote", "", text, ""]


def _middle(values: Sequence[float], form: str) -> tuple[str, str]:
    return form.format(median(values)), f"{form.format(min(values))} – {form.format(max(values))}"


def _both(values: Iterable[float], form: str) -> str:
    middle, spread = _middle(list(values), form)
    return f"{middle} ({spread})"


def _share(values: Sequence[float]) -> str:
    return _both([100 * value for value in values], "{:.0f}") + " %"
