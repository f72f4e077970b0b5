"""Shifts and tariff bands of the file → the plant's calendar in minutes of the local day, checked for overlap and holes."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo, available_timezones

from zhongshu.kernel.plantfile.problems import Findings, Loc, did_you_mean
from zhongshu.kernel.plantfile.spec import PlantSpec, ShiftSpec, TariffSpec
from zhongshu.model.plant import Shift, TariffBand, Text

DAY_MIN = 24 * 60
WEEK_MIN = 7 * DAY_MIN
#: Calendars that need no definition: round the clock, and the plant's own.
ALWAYS, OWN = "always", "plant"


def check_timezone(name: str, findings: Findings) -> None:
    """The zone must be known on this machine."""
    try:
        ZoneInfo(name)
    except (
        OSError,
        ValueError,
    ):  # unknown (a KeyError that is no OSError, see below), a directory, or a path
        findings.error(
            ("timezone",), f"There is no time zone “{name}”.", did_you_mean(name, available_timezones())
        )
    except KeyError:
        findings.error(
            ("timezone",), f"There is no time zone “{name}”.", did_you_mean(name, available_timezones())
        )


def shifts(specs: Sequence[ShiftSpec], findings: Findings) -> tuple[Shift, ...]:
    """Working shifts; one that passes midnight has ``end_min`` above 1440, and so have its breaks."""
    made: list[Shift] = []
    ids: set[str] = set()
    for i, spec in enumerate(specs):
        loc: Loc = ("shifts", i)
        if spec.id in ids:
            findings.error((*loc, "id"), f"There is a shift “{spec.id}” already.", "Rename one of the two.")
        ids.add(spec.id)
        if spec.start == spec.end:
            findings.error(
                loc, "The shift begins and ends at the same time.", "For a whole day write 00:00 and 24:00."
            )
        end = spec.end if spec.end > spec.start else spec.end + DAY_MIN
        breaks = _breaks(spec, end, loc, findings)
        made.append(
            Shift(spec.id, spec.name or Text(spec.id, spec.id), tuple(spec.days), spec.start, end, breaks)
        )
    return tuple(made)


def calendars(
    spec: PlantSpec, made: Sequence[Shift], findings: Findings
) -> tuple[tuple[Shift, ...], dict[str, tuple[Shift, ...]]]:
    """The plant's own shifts, and those of each calendar; in none of them may two shifts overlap."""
    known = {shift.id: shift for shift in made}
    found: dict[str, tuple[Shift, ...]] = {}
    for name, ids in spec.calendars.items():
        loc: Loc = ("calendars", name)
        if name == ALWAYS:
            findings.error(
                loc, f"“{ALWAYS}” is there already: round the clock, every day.", "Choose another name."
            )
        for i, shift in enumerate(ids):
            if shift not in known:
                findings.unknown((*loc, i), "shift", shift, known, "under shifts")
        found[name] = tuple(known[shift] for shift in ids if shift in known)
        _check_overlap(found[name], [(*loc, ids.index(s.id)) for s in found[name]], findings)
    named = {shift for ids in spec.calendars.values() for shift in ids}
    own = found.pop(OWN, None)
    if own is None:
        own = tuple(shift for shift in made if shift.id not in named)
        _check_overlap(own, [("shifts", made.index(s)) for s in own], findings)
    return own, found


def check_calendar(name: str | None, loc: Loc, spec: PlantSpec, findings: Findings) -> str | None:
    """A calendar that a type or a place names; "" for the plant's own."""
    if name is not None and name not in (ALWAYS, OWN, *spec.calendars):
        findings.unknown((*loc, "calendar"), "calendar", name, [ALWAYS, *spec.calendars], "under calendars")
        return None
    return "" if name == OWN else name


def _breaks(spec: ShiftSpec, end: int, loc: Loc, findings: Findings) -> tuple[tuple[int, int], ...]:
    made: list[tuple[int, int]] = []
    for i, (a, b) in enumerate(spec.breaks):
        a = a if a >= spec.start else a + DAY_MIN
        b = b if b > a else b + DAY_MIN
        if a < spec.start or b > end:
            findings.error(
                (*loc, "breaks", i), "The break is not inside the shift.", "Move it, or lengthen the shift."
            )
        elif any(a < other_b and other_a < b for other_a, other_b in made):
            findings.error((*loc, "breaks", i), "The break overlaps another one.", "Shorten or join the two.")
        made.append((a, b))
    return tuple(sorted(made))


def _check_overlap(made: Sequence[Shift], locs: Sequence[Loc], findings: Findings) -> None:
    """No minute of the week belongs to two shifts."""
    taken = [""] * WEEK_MIN
    for loc, shift in zip(locs, made, strict=True):
        hit = ""
        for day in shift.days:
            for minute in range(day * DAY_MIN + shift.start_min, day * DAY_MIN + shift.end_min):
                hit = hit or taken[minute % WEEK_MIN]
                taken[minute % WEEK_MIN] = shift.id
        if hit:
            findings.error(loc, f"The shift overlaps “{hit}”.", "Change its start or end, or its days.")


def tariff(spec: TariffSpec | None, findings: Findings) -> tuple[TariffBand, ...]:
    """Bands in the order of the day; one that passes midnight becomes two."""
    if spec is None:
        return ()
    taken: list[str] = [""] * DAY_MIN
    made: list[TariffBand] = []
    for i, band in enumerate(spec.bands):
        loc: Loc = ("tariff", "bands", i)
        if band.start == band.end:
            findings.error(
                loc, "The band begins and ends at the same time.", "For a whole day write 00:00 and 24:00."
            )
            continue
        pieces = [(band.start, band.end)] if band.end > band.start else [(band.start, DAY_MIN), (0, band.end)]
        minutes = [m for a, b in pieces for m in range(a, b)]
        hit = next((taken[m] for m in minutes if taken[m]), "")
        if hit:
            findings.error(loc, f"The band overlaps “{hit}”.", "Let it begin where the other one ends.")
        for minute in minutes:
            taken[minute] = band.name.en
        made += [TariffBand(band.name, a, b, band.price) for a, b in pieces if a < b]
    if "" in taken:
        first = taken.index("")
        last = next((m for m in range(first, DAY_MIN) if taken[m]), DAY_MIN)
        hole = f"{first // 60:02}:{first % 60:02} to {last // 60:02}:{last % 60:02}"
        findings.error(
            ("tariff", "bands"),
            f"No band covers {hole}.",
            "Let the bands cover the whole day, 00:00 to 24:00.",
        )
    return tuple(sorted(made, key=lambda band: band.start_min))
