"""The lab with a plan in its store and the pretended planner beside it."""

from __future__ import annotations

import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update

from tests.web.lab import Lab
from tests.web.plans import keep, kitchen_plan
from zhongshu.kernel.clock import load_clock
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.plan_tables import Plan

NS = 1_000_000_000


class PlanLab(Lab):
    """As the lab; plans come and go as a test wants them."""

    def fill(self, *, tasks: int = 10_000, seed: int = 7) -> dict[str, Any]:
        """A live plan made a few minutes ago, so that the now-line stands beside its frozen zone, and the one before it."""
        store = Store(self.data.store_url)
        store.migrate()
        plant = load_plant(self.plant)
        origin_ns = load_clock(self.data.clock_file).now_ns() - 240 * NS
        with store.begin() as session:
            session.execute(update(Plan).values(status="discarded"))
            newest = session.scalar(select(func.max(Plan.version))) or 316
        document = kitchen_plan(plant, origin_ns, tasks=tasks, seed=seed, version=newest + 2)
        kpis = document["kpis"] | {"weighted_tardiness_s": document["kpis"]["weighted_tardiness_s"] - 180}
        before = document | {
            "version": newest + 1,
            "status": "superseded",
            "made_ns": origin_ns - 600 * NS,
            "kpis": kpis,
        }
        keep(store, plant.id, before)
        keep(store, plant.id, document)
        store.close()
        return document

    def empty(self) -> None:
        """No plan at all."""
        store = Store(self.data.store_url)
        with store.begin() as session:
            session.execute(update(Plan).values(status="discarded"))
        store.close()

    def start_planner(self) -> None:
        """The pretended planner, until the control room has heard of it."""
        self._run(
            "planner", [sys.executable, "-m", "tests.web.planner", str(self.plant), str(self.data.path)]
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with urllib.request.urlopen(f"{self.url}/api/plan", timeout=5) as answer:
                if b'"planner":"up"' in answer.read():
                    return
            time.sleep(0.1)
        raise AssertionError(f"nobody heard of the planner:\n{self.log('planner')}")


def plan_lab(plant: Path, data: Path, free_port: Any) -> PlanLab:
    """Started, with a live plan of 10,000 tasks, without a planner."""
    lab = PlanLab(plant, data, free_port)
    lab.start(historian=False, still=True)
    lab.fill()
    return lab
