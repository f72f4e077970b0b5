"""What a command must change in the points of its unit to count as done: the proof, judged on measured values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from zhongshu.kernel.latest import Latest
from zhongshu.model import roles
from zhongshu.model.batch import GOOD, QUALITY_MASK, RESTATED
from zhongshu.model.commands import Call, Verb
from zhongshu.model.plant import Plant, Point
from zhongshu.model.states import JobState, TransportState, UnitState


class Verdict(StrEnum):
    """What the points say of a command's effect."""

    SEEN = "seen"
    NOT_YET = "not_yet"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Effect:
    """The verdict and the measured values it rests on, in words for the proof, and the ids of their points."""

    verdict: Verdict
    proof: str
    points: tuple[int, ...] = ()


#: Wall seconds within which the effect must show, by verb.
PATIENCE_S: dict[Verb, float] = {Verb.TRANSPORT: 15.0, Verb.CANCEL_TRANSPORT: 15.0}
PATIENCE_OTHERS_S = 12.0

#: In which effects show, parameters apart.
_SHOWING = frozenset({roles.JOB_KEY, roles.JOB_STATE, roles.ORDER_KEY, roles.ORDER_STATE, roles.UNIT_STATE})
_STARTED = {JobState.WAITING, JobState.SETUP, JobState.RUNNING, JobState.DONE}
_STATES: dict[Verb, frozenset[UnitState]] = {
    Verb.STOP: frozenset({UnitState.STOPPED}),
    Verb.RESET: frozenset({UnitState.IDLE, UnitState.STARTING, UnitState.EXECUTE}),
    Verb.HOLD: frozenset({UnitState.HELD}),
    Verb.UNHOLD: frozenset({UnitState.EXECUTE}),
    Verb.ABORT_JOB: frozenset({UnitState.IDLE, UnitState.ABORTED, UnitState.STOPPED, UnitState.COMPLETE}),
}


def patience_s(verb: Verb) -> float:
    """How long to wait for the effect, in wall seconds."""
    return PATIENCE_S.get(verb, PATIENCE_OTHERS_S)


class Effects:
    """Reads the newest measured values of the plant and judges calls by them."""

    def __init__(self, plant: Plant, latest: Latest) -> None:
        self._plant, self._latest = plant, latest
        self._roles = {(u.id, p.role): p for u in plant.units for p in u.points if p.role}
        self._of_unit = {u.id: tuple(p.id for p in u.points if p.role in _SHOWING) for u in plant.units}

    def judge(self, call: Call) -> Effect:
        """The verdict on ``call`` now; values that are not Good prove nothing."""
        if call.verb is Verb.START_JOB:
            return self._keyed(
                call, roles.JOB_KEY, roles.JOB_STATE, {s.value for s in _STARTED}, JobState.ABORTED
            )
        if call.verb is Verb.TRANSPORT:
            wanted = {TransportState.RUNNING.value, TransportState.DONE.value}
            return self._keyed(call, roles.ORDER_KEY, roles.ORDER_STATE, wanted, TransportState.FAILED)
        if call.verb is Verb.CANCEL_TRANSPORT:
            gone = {float(s) for s in TransportState if s is not TransportState.RUNNING}
            order, meant = self._good(call.unit, roles.ORDER_KEY), call.args.get("order")
            if meant and order is not None and int(order) != meant:
                points = self._ids(call.unit, roles.ORDER_KEY)
                return Effect(Verdict.SEEN, f"{roles.ORDER_KEY}={int(order)}", points)
            return self._state(call, roles.ORDER_STATE, gone)
        if call.verb is Verb.SET_PARAMETER:
            return self._parameter(call)
        return self._state(call, roles.UNIT_STATE, {float(s) for s in _STATES[call.verb]})

    def points(self, call: Call) -> tuple[int, ...]:
        """Those on which the verdict may rest."""
        if call.verb is Verb.SET_PARAMETER:
            return (int(call.args["point"]),)
        return self._of_unit.get(call.unit, ())

    def never(self, call: Call) -> Effect:
        """FAILED where the unit's own record shows that the call has no effect, for when patience has ended.

        Keys grow and act asks a unit one by one, so a record that ends before this key means that it never arrived; or
        the unit answered it with a refusal. A parameter has no key: what it reads as says whether it was set.
        """
        if call.verb is Verb.SET_PARAMETER:
            return self._other_value(call)
        role = roles.ORDER_KEY if call.verb is Verb.TRANSPORT else roles.COMMAND_KEY
        key, result = self._good(call.unit, role), self._good(call.unit, roles.COMMAND_RESULT)
        points = self._ids(call.unit, role, roles.COMMAND_RESULT)
        if key is not None and key < call.key:
            return Effect(Verdict.FAILED, f"never arrived: {role}={int(key)}", points[:1])
        if key == call.key and result:
            proof = f"{role}={int(call.key)} {roles.COMMAND_RESULT}={int(result)}"
            return Effect(Verdict.FAILED, proof, points)
        return Effect(Verdict.NOT_YET, "")

    def _ids(self, unit: str, *wanted: str) -> tuple[int, ...]:
        found = (self._roles.get((unit, role)) for role in wanted)
        return tuple(point.id for point in found if point is not None)

    def _keyed(self, call: Call, key_role: str, state_role: str, wanted: set[int], failed: int) -> Effect:
        key, state = self._good(call.unit, key_role), self._good(call.unit, state_role)
        if (
            key is None
            or state is None
            or int(key) != call.key
            or not self._paired(call.unit, key_role, state_role)
        ):
            return Effect(Verdict.NOT_YET, "")
        proof = f"{key_role}={int(key)} {state_role}={int(state)}"
        points = self._ids(call.unit, key_role, state_role)
        if int(state) == failed:
            return Effect(Verdict.FAILED, proof, points)
        return Effect(Verdict.SEEN, proof, points) if int(state) in wanted else Effect(Verdict.NOT_YET, "")

    def _paired(self, unit: str, key_role: str, state_role: str) -> bool:
        """The state was measured with the key or after it, not left over from the job before.

        A value that the brain itself said again has lost its own time: a key may then be as old as you like, a state not.
        """
        key, state = self._roles[unit, key_role], self._roles[unit, state_role]
        if self._latest.qualities[key.id] & RESTATED:
            return True
        if self._latest.qualities[state.id] & RESTATED:
            return False
        return self._latest.times_ns[state.id] >= self._latest.times_ns[key.id]

    def _state(self, call: Call, role: str, wanted: set[float]) -> Effect:
        value = self._good(call.unit, role)
        if value is None or value not in wanted:
            return Effect(Verdict.NOT_YET, "")
        return Effect(Verdict.SEEN, f"{role}={int(value)}", self._ids(call.unit, role))

    def _parameter(self, call: Call) -> Effect:
        point = next((p for p in self._plant.unit_of[call.unit].points if p.id == call.args["point"]), None)
        value = None if point is None else self._value(point)
        if point is None or value is None or abs(value - call.args["value"]) > 1e-6 * max(1.0, abs(value)):
            return Effect(Verdict.NOT_YET, "")
        return Effect(Verdict.SEEN, f"{point.name}={value:g}", (point.id,))

    def _other_value(self, call: Call) -> Effect:
        point = next((p for p in self._plant.unit_of[call.unit].points if p.id == call.args["point"]), None)
        value = None if point is None else self._value(point)
        if point is None or value is None:
            return Effect(Verdict.NOT_YET, "")
        return Effect(Verdict.FAILED, f"not set: {point.name}={value:g}", (point.id,))

    def _good(self, unit: str, role: str) -> float | None:
        point = self._roles.get((unit, role))
        return None if point is None else self._value(point)

    def _value(self, point: Point) -> float | None:
        if self._latest.times_ns[point.id] == 0 or self._latest.qualities[point.id] & QUALITY_MASK != GOOD:
            return None
        return float(self._latest.values[point.id])
