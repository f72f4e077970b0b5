"""What the ladder lets the brain send, and when an area's data or its own failures take it a rung down: pure judgements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from zhongshu.act.judgement import YES, Judgement, no, wait
from zhongshu.kernel.latest import Latest
from zhongshu.model import roles
from zhongshu.model.autonomy import BRAIN, Autonomy, Ladder, Level, Said
from zhongshu.model.batch import GOOD, QUALITY_MASK
from zhongshu.model.commands import Call, Verb
from zhongshu.model.plant import Plant
from zhongshu.model.roles import OF_THE_WIRE
from zhongshu.model.states import COMMANDABLE, UnitState

#: ``approved_by`` of what the ladder let pass without a person.
BY_LADDER = "ladder"
#: A machine that is there and well is in none of these: what then fails to show is not its own breakdown.
BROKEN = frozenset(
    {UnitState.UNDEFINED, UnitState.ABORTING, UnitState.ABORTED, UnitState.CLEARING, UnitState.STOPPED}
)


def permit(autonomy: Autonomy, call: Call, by: str, approved_by: str) -> Judgement:
    """Whether the ladder lets it pass; what a person asks for is never held up by it."""
    if by != BRAIN:
        return YES
    for unit in _concerned(call):
        standing = autonomy.units.get(unit)
        if standing is not None and standing.stopped:
            return no(Said.STOPPED)
    standing = autonomy.units.get(call.unit)
    if standing is None:
        return YES
    if standing.taken:
        return no(Said.TAKEN)
    if call.verb is Verb.EXTEND_TRANSPORT:
        return YES  # more of an order that was let pass when it was sent: what is under way is brought to its end on every rung
    match standing.level:
        case Level.OBSERVE:
            return no(Said.OBSERVES)
        case Level.ADVISE:
            return no(Said.ADVICE)
        case Level.APPROVE if not approved_by:
            return wait(Said.WAITS)
        case Level.APPROVE if approved_by == BY_LADDER:
            return no(Said.FELL)
    return YES


def _concerned(call: Call) -> Iterator[str]:
    """The unit itself, and the places between which a vehicle carries."""
    yield call.unit
    for name in ("pick_unit", "drop_unit"):
        if unit := call.args.get(name):
            yield str(unit)


def recent(failures: Iterable[int], now_ns: int, ladder: Ladder) -> list[int]:
    """Those of the failures (plant times) that still count."""
    oldest = now_ns - round(ladder.within_s * 1e9)
    return [t for t in failures if t > oldest]


def too_many(failures: Iterable[int], ladder: Ladder) -> bool:
    """So many that the area goes a rung down."""
    return 0 < ladder.failures <= sum(1 for _ in failures)


class Wellness:
    """Whether a unit is there and well by its own Good values, so that a missing effect is not its own breakdown."""

    def __init__(self, plant: Plant, latest: Latest) -> None:
        self._latest = latest
        self._points = {
            u.id: (plant.role(u, roles.UNIT_STATE), plant.role(u, roles.UNIT_MODE)) for u in plant.units
        }

    def well(self, unit: str) -> bool:
        """In production mode, in no broken state, and known to be."""
        state, mode = self._points.get(unit, (None, None))
        for point, good in ((state, None), (mode, COMMANDABLE)):
            if point is None:
                continue
            if self._latest.qualities[point.id] & QUALITY_MASK != GOOD:
                return False
            value = self._latest.values[point.id]
            if value in BROKEN if good is None else value not in good:
                return False
        return True


class Freshness:
    """The share of an area's points with a role whose newest value is Good, and for how long it has been too low.

    Decisions rest on roles; a measurement that only people look at lowers nobody's autonomy.

    An area that was never fresh since the process began does not count: nothing can be sent there by values that are not
    Good, and a plant that is switched on in the morning is not stale but not there yet.
    """

    def __init__(self, plant: Plant, latest: Latest) -> None:
        self._latest, self._ladder = latest, plant.ladder
        told = [(p.id, u.area) for u in plant.units for p in u.points if p.role and p.role not in OF_THE_WIRE]
        self._areas = sorted({area for _, area in told})
        number = {area: i for i, area in enumerate(self._areas)}
        points = [(point, number[area]) for point, area in told]
        self._ids = np.array([p for p, _ in points], np.int64)
        self._of = np.array([a for _, a in points], np.int64)
        self._all = np.bincount(self._of, minlength=len(self._areas))
        self._since_ns: dict[str, int] = {}
        self._said: set[str] = set()
        self._was_fresh: set[str] = set()

    def shares(self) -> Mapping[str, float]:
        """By area, 0 to 1."""
        fresh = (self._latest.qualities[self._ids] & QUALITY_MASK) == GOOD
        good = np.bincount(self._of, weights=fresh, minlength=len(self._areas))
        return dict(zip(self._areas, (good / self._all).tolist(), strict=True)) if self._areas else {}

    def stale(self, wall_ns: int) -> Iterator[tuple[str, float]]:
        """Areas, with their share, that have now been stale for so long; each once, until its data are fresh again."""
        for area, share in self.shares().items():
            if share >= self._ladder.fresh_share:
                self._since_ns.pop(area, None)
                self._said.discard(area)
                self._was_fresh.add(area)
                continue
            if area not in self._was_fresh:
                continue
            since_ns = self._since_ns.setdefault(area, wall_ns)
            if area not in self._said and wall_ns - since_ns >= self._ladder.stale_s * 1e9:
                self._said.add(area)
                yield area, share
