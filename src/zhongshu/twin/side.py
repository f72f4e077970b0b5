"""Where the wire meets the machines: every request and write is put on record, then done on the floor, then answered."""

from __future__ import annotations

from collections.abc import Callable

from zhongshu.model.commands import Answer, Call
from zhongshu.twin.floor import Floor
from zhongshu.twin.persist import Keep


class Side:
    """The PlantSide of all peers. ``catch_up`` brings the floor to the present before anything is done."""

    def __init__(self, floor: Floor, keep: Keep | None, catch_up: Callable[[], None]) -> None:
        self._floor, self._keep, self._catch_up = floor, keep, catch_up
        self.requests = 0

    async def written(self, unit: str, point: str, value: float) -> Answer:
        """A master wrote a raw value."""
        self._catch_up()
        self.requests += 1
        if self._keep is not None:
            self._keep.record(self._floor.now_ns, "write", unit=unit, point=point, value=value)
        return self._floor.written(unit, point, value)

    async def called(self, call: Call) -> Answer:
        """A master put a request; recorded before it is done, so that no accepted job is ever forgotten."""
        self._catch_up()
        self.requests += 1
        keys = self._floor.keys(call.unit)
        new = keys is not None and keys.known(call.key) is None
        if self._keep is not None and new:
            args = {
                name: list(value) if isinstance(value, tuple) else value for name, value in call.args.items()
            }
            self._keep.record(
                self._floor.now_ns, "call", unit=call.unit, verb=int(call.verb), key=call.key, args=args
            )
        answer = self._floor.called(call)
        if self._keep is not None and new:
            self._keep.answered(call.unit, call.key, int(answer.result), answer.reason)
        return answer
