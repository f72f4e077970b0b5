"""The one judge between a proposal and the wire: ladder, modes, interlocks, conflicts and rate; yes, wait, or no with a reason."""

from __future__ import annotations

from zhongshu.act.autonomy import permit
from zhongshu.act.claims import Claims
from zhongshu.act.judgement import Judgement, Ruling, no, wait
from zhongshu.kernel.latest import Latest
from zhongshu.model import roles
from zhongshu.model.autonomy import Autonomy
from zhongshu.model.commands import Call, Verb
from zhongshu.model.interlocks import Interlock
from zhongshu.model.plant import Plant, Point, Unit
from zhongshu.model.states import COMMANDABLE, UnitState

#: No job is begun on a machine that measures one of these: somebody, or something, has stopped it.
NOT_READY = frozenset(
    {
        UnitState.STOPPING,
        UnitState.STOPPED,
        UnitState.ABORTING,
        UnitState.ABORTED,
        UnitState.CLEARING,
        UnitState.HOLDING,
        UnitState.HELD,
    }
)
#: A second's worth of an area's commands may go out at once, such as at the start of a shift.
BURST_WALL_NS = 1_000_000_000


class Arbiter:
    """Judges calls by measured values that are Good, and by nothing else; ``claims`` knows what is under way."""

    def __init__(self, plant: Plant, latest: Latest, claims: Claims) -> None:
        self._plant, self._latest, self._claims = plant, latest, claims
        self._mode = {u.id: plant.role(u, roles.UNIT_MODE) for u in plant.units}
        self._state = {u.id: plant.role(u, roles.UNIT_STATE) for u in plant.units}
        self._locks = _locks(plant)
        self._gap_ns = round(plant.ladder.unit_gap_s * 1e9)
        self._area_gap_ns = round(1e9 / plant.ladder.area_per_s)
        self._sent_wall_ns: dict[str, int] = {}
        self._area_free_ns: dict[str, int] = {}

    def judge(
        self, call: Call, now_wall_ns: int, autonomy: Autonomy, *, by: str, approved_by: str = ""
    ) -> Judgement:
        """Whether ``call``, asked for by ``by``, may go out now."""
        unit = self._plant.unit_of.get(call.unit)
        if unit is None:
            return no("no_such_unit")
        refusal = self._parameter(call, unit) if call.verb is Verb.SET_PARAMETER else None
        if refusal is not None:
            return refusal
        allowed = permit(autonomy, call, by, approved_by)
        if allowed.ruling is Ruling.NO:
            return allowed
        measured = self._measured(call)
        if measured.ruling is Ruling.NO:
            return measured  # also of what waits for a person: there is nothing left to approve
        for judgement in (allowed, measured):
            if judgement.ruling is Ruling.WAIT:
                return judgement
        reason = self._claims.conflict(call) or self._too_fast(call, unit, now_wall_ns)
        return wait(reason) if reason else measured

    def sent(self, unit: str, now_wall_ns: int) -> None:
        """Remember when unit and area were last asked."""
        self._sent_wall_ns[unit] = now_wall_ns
        area = self._plant.unit_of[unit].area
        self._area_free_ns[area] = max(self._area_free_ns.get(area, 0), now_wall_ns) + self._area_gap_ns

    def extended(self, unit: str, now_wall_ns: int) -> None:
        """An order under way was extended: its unit was asked, its area was given no more to do.

        Extensions come as fast as vehicles drive, one a vehicle at a time and each for measured progress.
        """
        self._sent_wall_ns[unit] = now_wall_ns

    def _measured(self, call: Call) -> Judgement:
        """By the unit's own points and those of its interlocks."""
        mode, state = self._mode[call.unit], self._state[call.unit]
        seen: list[int] = []
        if mode is not None:
            if not self._latest.fresh(mode.id):
                return wait("mode_not_known")
            if self._latest.values[mode.id] not in COMMANDABLE:
                return no("not_in_production_mode")
            seen.append(mode.id)
        if state is not None:
            if not self._latest.fresh(state.id):
                return wait("state_not_known")
            if call.verb is Verb.START_JOB and self._latest.values[state.id] in NOT_READY:
                return wait("unit_not_ready")
            seen.append(state.id)
        verb = Verb.TRANSPORT if call.verb is Verb.EXTEND_TRANSPORT else call.verb  # it is more of the same
        for lock, point in self._locks.get((call.unit, verb), ()):
            if not self._latest.fresh(point.id):
                return wait(f"interlock_value_not_known: {point.path}")
            if lock.forbids(self._latest.value(point.id)):
                return wait(f"interlock: {lock.reason.zh} / {lock.reason.en}")
            seen.append(point.id)
        return Judgement(Ruling.YES, points=tuple(seen))

    def _too_fast(self, call: Call, unit: Unit, now_wall_ns: int) -> str:
        """A unit gets one command at a time, an area so many a second: a loop gone wild can't hammer the machines."""
        if now_wall_ns - self._sent_wall_ns.get(unit.id, 0) < self._gap_ns:
            return "rate"
        if call.verb is Verb.EXTEND_TRANSPORT:
            return ""
        ahead_ns = self._area_free_ns.get(unit.area, 0) - now_wall_ns
        return "area_rate" if ahead_ns > BURST_WALL_NS else ""

    def _parameter(self, call: Call, unit: Unit) -> Judgement | None:
        point = next((p for p in unit.points if p.id == call.args.get("point")), None)
        if point is None or not point.writable:
            return no("not_writable")
        value = call.args.get("value")
        if not isinstance(value, int | float):
            return no("not_a_number")
        if (point.low is not None and value < point.low) or (point.high is not None and value > point.high):
            return no("outside_limits")
        return None


def _locks(plant: Plant) -> dict[tuple[str, Verb], list[tuple[Interlock, Point]]]:
    """By unit and verb, what may stand against it and the point that tells."""
    found: dict[tuple[str, Verb], list[tuple[Interlock, Point]]] = {}
    for lock in plant.interlocks:
        for unit in lock.units:
            points = plant.unit_of[lock.unit or unit].points
            point = next(p for p in points if p.name == lock.point)  # the plant file was checked for it
            for verb in lock.verbs:
                found.setdefault((unit, Verb[verb]), []).append((lock, point))
    return found
