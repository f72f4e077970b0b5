"""What the pages and the API of one plant stand on: opened once by serve, handed to every router."""

from __future__ import annotations

from dataclasses import dataclass

from zhongshu.kernel.bus import Bus
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.config import DataDir
from zhongshu.kernel.outbox import Outbox
from zhongshu.kernel.store import Store
from zhongshu.model.plant import Plant
from zhongshu.web.commands import CommandBoard
from zhongshu.web.decisions import DecisionBoard
from zhongshu.web.gate import Gate
from zhongshu.web.orders import OrderBoard
from zhongshu.web.past import Past
from zhongshu.web.plan_progress import PlanProgress
from zhongshu.web.plan_store import Plans
from zhongshu.web.watch import Watch


@dataclass(frozen=True, slots=True)
class Room:
    """One plant, seen through its bus, store and history; ``gate`` says who may come in."""

    plant: Plant
    data: DataDir
    store: Store
    clock: Clock
    bus: Bus
    watch: Watch
    past: Past
    orders: OrderBoard
    commands: CommandBoard
    decisions: DecisionBoard
    plans: Plans
    progress: PlanProgress
    outbox: Outbox
    gate: Gate
