"""What commands under way and their open jobs have a hold on: units, lots, places; so that no two go for the same."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from zhongshu.kernel.latest import Latest
from zhongshu.model import roles
from zhongshu.model.commands import Call, Verb
from zhongshu.model.plant import Plant, Point
from zhongshu.model.states import JobState, TransportState

#: A vehicle's job goes on for minutes after its command is proven, and so does a machine's: by the unit's own record.
_OPEN: dict[Verb, tuple[str, str, frozenset[int]]] = {
    Verb.START_JOB: (
        roles.JOB_KEY,
        roles.JOB_STATE,
        frozenset({JobState.WAITING, JobState.SETUP, JobState.RUNNING}),
    ),
    Verb.TRANSPORT: (roles.ORDER_KEY, roles.ORDER_STATE, frozenset({TransportState.RUNNING})),
}


@dataclass(slots=True)
class _Claim:
    call: Call
    under_way: bool  # on the wire, waiting for its effect, or unknown; else as the unit measures


class Claims:
    """In memory; after a restart made anew from the book and what the units measure."""

    def __init__(self, plant: Plant, latest: Latest) -> None:
        self._latest = latest
        self._points: dict[tuple[str, str], Point] = {
            (u.id, p.role): p for u in plant.units for p in u.points if p.role
        }
        self._claims: dict[int, _Claim] = {}
        self._by_thing: defaultdict[str, set[int]] = defaultdict(set)

    def take(self, call: Call, *, under_way: bool = True) -> None:
        """It is under way now, or (after a restart) perhaps still at work."""
        self._claims[call.key] = _Claim(call, under_way)
        for thing in _things(call):
            self._by_thing[thing].add(call.key)

    def ended(self, call: Call, *, took_effect: bool) -> None:
        """Nobody works on the command any more; what it began may go on."""
        if took_effect and call.verb in _OPEN and call.key in self._claims:
            self._claims[call.key].under_way = False
        else:
            self._drop(call.key)

    def unknown(self, call: Call) -> None:
        """Nobody can tell what became of it: the unit may be asked for other things, its lot and place not for others."""
        self._let_go(f"unit:{call.unit}", call.key)

    def conflict(self, call: Call) -> str:
        """What stands against the call, a reason for people; empty where nothing does."""
        for thing, reason in _things(call).items():
            for key in list(self._by_thing.get(thing, ())):
                claim = self._claims[key]
                if key == call.key:
                    continue
                if claim.under_way:
                    return reason
                at_work = self._at_work(claim.call)
                if at_work and not thing.startswith("unit:"):
                    return reason
                if at_work is False:
                    self._drop(key)
        return ""

    def _at_work(self, call: Call) -> bool | None:
        """Whether the unit is still at what the call began; None where it does not say, and nobody waits for a silent unit."""
        key_role, state_role, open_states = _OPEN[call.verb]
        key, state = self._points.get((call.unit, key_role)), self._points.get((call.unit, state_role))
        if key is None or state is None:
            return False
        if not (self._latest.fresh(key.id) and self._latest.fresh(state.id)):
            return None
        return self._latest.value(key.id) == call.key and self._latest.value(state.id) in open_states

    def _drop(self, key: int) -> None:
        claim = self._claims.pop(key, None)
        for thing in _things(claim.call) if claim is not None else ():
            self._let_go(thing, key)

    def _let_go(self, thing: str, key: int) -> None:
        keys = self._by_thing.get(thing, set())
        keys.discard(key)
        if not keys:
            self._by_thing.pop(thing, None)


def _things(call: Call) -> dict[str, str]:
    """What a call goes for, each with the reason that a conflict over it gives."""
    things = {f"unit:{call.unit}": "another_command_under_way"}
    if call.verb is Verb.EXTEND_TRANSPORT:
        return things  # its lot and its place are its order's
    if lot := call.args.get("lot"):
        things[f"lot:{lot}"] = "lot_is_in_use"
    route = call.args.get("route")
    if call.verb is Verb.TRANSPORT and route and not call.args.get("drop_unit"):
        things[f"place:{route[-1]}"] = "place_is_taken"
    return things
