"""The brain process: connectors feed sense; understand, decide and act meet on the bus; proofs go back the same way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from zhongshu.act.act import Act
from zhongshu.connectors import registry
from zhongshu.decide.decide import Decide
from zhongshu.decide.dispatching import Dispatch
from zhongshu.decide.follow import Follow
from zhongshu.decide.policies import Policy, switched_on
from zhongshu.kernel.bus import Bus
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.health import Health
from zhongshu.kernel.latest import Latest
from zhongshu.kernel.ports import Connector
from zhongshu.kernel.store import Store
from zhongshu.model.plant import Plant
from zhongshu.plant.floor_link import follow_points
from zhongshu.plant.presence import Presence
from zhongshu.sense import Sense
from zhongshu.understand.understand import Understand

log = logging.getLogger(__name__)
Connect = Callable[[Plant, Any, Clock, Path], Connector]


class Brain:
    """Sense, understand, decide and act of one plant in one process; ``connect`` may be replaced by an in-memory one,
    ``dispatch`` by a rule that knows no plan, ``policies`` by others than those that the plant file switches on."""

    def __init__(
        self,
        plant: Plant,
        bus: Bus,
        store: Store,
        clock: Clock,
        secrets: Path,
        connect: Connect = registry.connector,
        dispatch: Dispatch = Follow,
        policies: Sequence[Policy] | None = None,
    ) -> None:
        self._plant, self._bus, self._clock = plant, bus, clock
        self._latest = Latest(plant)
        self._presence = Presence(plant, self._latest)
        self._connectors: Mapping[str, Connector] = {
            c.id: connect(plant, c, clock, secrets) for c in plant.connections
        }
        on = switched_on(plant) if policies is None else policies
        self.sense = Sense(plant, bus, store, clock)
        self.understand = Understand(plant, bus, store, clock)
        self.decide = Decide(plant, bus, store, clock, self._latest, dispatch, on)
        self.act = Act(plant, bus, store, clock, self._latest, self._connectors)

    async def run(self) -> None:
        """Until cancelled; an error in any stage ends all, and the supervisor starts the process anew."""
        following = await follow_points(self._bus, self._plant.id, self._latest)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.sense.run())
                for connection in self._plant.connections:
                    reader = self._connectors[connection.id]
                    tasks.create_task(reader.run(self.sense.sink(connection)), name=f"read {connection.id}")
                tasks.create_task(self.understand.run())
                tasks.create_task(self.act.run())
                tasks.create_task(self.decide.run())
                tasks.create_task(Health(self._bus, self._plant.id, "brain", self.figures).run())
        finally:
            await following.close()

    def figures(self) -> dict[str, Any]:
        """What ``zhongshu status`` and the pages show of this process."""
        return {
            "devices": {
                "total": len(self._plant.units),
                "connected": self._presence.devices_connected(self._clock.wall_ns()),
            },
            "points": {"total": len(self._plant.points), "good": self._presence.points_good()},
            "sense": self.sense.figures(),
            "facts": self.understand.facts_said,
            "decide": self.decide.figures(),
            "act": {**self.act.counts, "unknown": self.act.unknown},
        }
