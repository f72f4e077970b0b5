"""A planner that is only pretended: answers asks about plans over the real bus as the contract says, by shifting tasks.

Run as a script: ``python -m tests.web.planner PLANT DATA``.
"""

from __future__ import annotations

import asyncio
import copy
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.web.plans import keep
from zhongshu.kernel.clock import load_clock
from zhongshu.kernel.config import DataDir, load_access
from zhongshu.kernel.health import Health
from zhongshu.kernel.nats_bus import NatsBus
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.plan_tables import Plan
from zhongshu.model import subjects
from zhongshu.model.plant import Plant as PlantModel
from zhongshu.web.plan_store import LIVE, Plans

NS = 1_000_000_000


def refused(zh: str, en: str) -> dict[str, Any]:
    """The answer where the planner cannot do what was asked."""
    return {"ok": False, "error": {"zh": zh, "en": en}}


class PretendPlanner:
    """Answers; what it changes stands in the store."""

    def __init__(self, plant: PlantModel, store: Store, now_ns: Any) -> None:
        self.plant, self.store, self.now_ns = plant, store, now_ns
        self.plans = Plans(plant.id, store)

    async def answer(self, payload: bytes) -> bytes:
        """One ask."""
        ask = json.loads(payload)
        found = await asyncio.to_thread(getattr(self, f"do_{ask['what']}"), ask)
        return json.dumps({"ok": True} | found, ensure_ascii=False).encode()

    def document(self, which: Any) -> dict[str, Any]:
        """A plan of the store."""
        packed = self.plans.packed(which)
        assert packed is not None, which
        return packed.document()

    def do_quote(self, ask: Mapping[str, Any]) -> dict[str, Any]:
        """Five minutes a piece, one shift ahead."""
        if ask["quantity"] > 5000:
            return refused("超过一年产能", "more than a year's capacity")
        end_ns = self.now_ns() + (4 * 3600 + 300 * ask["quantity"]) * NS
        reason = {"zh": "喷粉室 02 在 16:20 前无空档", "en": "Powder booth 02 has no slot before 16:20"}
        return {"end_ns": end_ns, "reason": reason, "time_s": 0.21}

    def do_why(self, ask: Mapping[str, Any]) -> dict[str, Any]:
        """The order's last tasks as the chain; what would save it, made up."""
        plan = self.document(LIVE)
        number = next(i for i, o in enumerate(plan["orders"]) if o["id"] == ask["order"])
        tasks, late = plan["tasks"], plan["orders"][number]["late_s"]
        mine = sorted(
            (e, i) for i, (o, e) in enumerate(zip(tasks["order"], tasks["end"], strict=True)) if o == number
        )[-3:]
        texts = (
            ("resource", "喷粉室 01 的 15:00 炉次已满（4/4 批）", "the 15:00 load of powder booth 01 is full (4 of 4 lots)"),
            ("setup", "前道因换型多用 7 分钟", "the step before takes 7 min longer for a set-up"),
            ("closed", "15:55 前休息，无空档", "no slot before the break ends at 15:55"),
        )  # fmt: skip
        chain = [
            {
                "task": tasks["id"][i], "unit": plan["units"][tasks["unit"][i]]["id"], "kind": kind, "text": {"zh": zh, "en": en},
                "start_ns": plan["origin_ns"] + tasks["start"][i] * NS, "end_ns": plan["origin_ns"] + tasks["end"][i] * NS,
            }
            for (_, i), (kind, zh, en) in zip(mine, texts, strict=False)
        ]  # fmt: skip
        due_ns = plan["origin_ns"] + plan["orders"][number]["due"] * NS
        now = self.now_ns()
        unlock = [
            {
                "text": {"zh": "喷粉室 02 加班 30 分钟", "en": "Powder booth 02: 30 min overtime"}, "end_ns": due_ns - 240 * NS, "late_s": 0,
                "cost": {"zh": "0.5 h × 2 人", "en": "0.5 h × 2 people"}, "saves_orders": 2,
                "edit": {"kind": "overtime", "unit": "coat-02", "start_ns": now, "end_ns": now + 1800 * NS},
            },
            {
                "text": {"zh": "提到优先级 1", "en": "Raise to priority 1"}, "end_ns": due_ns + 120 * NS, "late_s": 120,
                "cost": {"zh": "换型 +1", "en": "set-ups +1"}, "saves_orders": 0,
                "edit": {"kind": "order", "order": ask["order"], "priority": 1},
            },
        ]  # fmt: skip
        return {"late_s": late, "chain": chain, "unlock": unlock, "verified": True}

    def do_try(self, ask: Mapping[str, Any]) -> dict[str, Any]:
        """A scenario with the edits done by shifting; what it says of the effect is counted, not guessed."""
        base = self.document(ask["base"])
        plan = copy.deepcopy(base)
        name, moved = "", 0
        for edit in ask["edits"]:
            if edit["kind"] == "name":
                name = edit["name"]
            elif "task" in edit and edit["task"] not in plan["tasks"]["id"]:
                return refused(f"没有工序 {edit['task']}", f"there is no task {edit['task']}")
            else:
                moved += _edited(plan, edit)
        version = self._highest() + 1
        kpis = {
            **plan["kpis"],
            "moved": moved,
            "late": max(0, base["kpis"]["late"] - 1),
            "setups": base["kpis"]["setups"] + 3,
        }
        kpis |= {
            "weighted_tardiness_s": base["kpis"]["weighted_tardiness_s"] // 2,
            "on_time_pct": 98.7,
            "energy_cost": 8120.0,
        }
        plan |= {
            "version": version,
            "status": "scenario",
            "name": name,
            "kpis": kpis,
            "made_ns": self.now_ns(),
        }
        plan["cause"] = {"kind": "what_if", "text": {"zh": "假设", "en": "what-if"}, "t_ns": self.now_ns()}
        keep(self.store, self.plant.id, plan, base=base["version"], edits=ask["edits"], by=ask["by"])
        tardiness = kpis["weighted_tardiness_s"] - base["kpis"]["weighted_tardiness_s"]
        effect = {
            "moved": moved,
            "late": kpis["late"] - base["kpis"]["late"],
            "weighted_tardiness_s": tardiness,
        }
        return {"version": version, "feasible": True, "kpis": kpis, "effect": effect, "problems": []}

    def do_release(self, ask: Mapping[str, Any]) -> dict[str, Any]:
        """It becomes the live one."""
        return self._live(ask["version"], ask["by"])

    def do_discard(self, ask: Mapping[str, Any]) -> dict[str, Any]:
        """It is gone."""
        with self.store.begin() as session:
            session.get_one(Plan, (self.plant.id, ask["version"])).status = "discarded"
        return {}

    def do_undo(self, ask: Mapping[str, Any]) -> dict[str, Any]:
        """The newest superseded one is live again."""
        past = [row for row in self.plans.rows() if row["status"] == "superseded"]
        return (
            self._live(past[0]["version"], ask["by"])
            if past
            else refused("没有更早的计划", "there is no plan before this one")
        )

    def do_solve(self, ask: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing to improve."""
        return {"version": self.document(LIVE)["version"]}

    def _highest(self) -> int:
        with self.store.read() as session:
            return max(session.query(Plan.version).all())[0]

    def _live(self, version: int, by: str) -> dict[str, Any]:
        with self.store.begin() as session:
            for row in session.query(Plan).where(Plan.plant == self.plant.id, Plan.status == LIVE):
                row.status = "superseded"
            found = session.get_one(Plan, (self.plant.id, version))
            found.status, found.released_ns, found.by = LIVE, self.now_ns(), by
        return {"version": version, "moved": 1, "difference": []}


def _edited(plan: dict[str, Any], edit: Mapping[str, Any]) -> int:
    """How many tasks it moved."""
    tasks = plan["tasks"]
    if edit["kind"] in ("pin", "unpin"):
        tasks["pinned"][tasks["id"].index(edit["task"])] = int(edit["kind"] == "pin")
        return 0
    if edit["kind"] != "place":
        return 3
    index = tasks["id"].index(edit["task"])
    unit = next(k for k, u in enumerate(plan["units"]) if u["id"] == edit["unit"])
    start = (edit["start_ns"] - plan["origin_ns"]) // NS
    shift = start - tasks["start"][index]
    later = [
        i
        for i, s in enumerate(tasks["start"])
        if i == index or (tasks["lot"][i] == tasks["lot"][index] and s > tasks["start"][index])
    ]
    for i in later:
        for name in ("start", "end", "left"):
            tasks[name][i] += shift
        tasks["moved"][i] = 1
    tasks["unit"][index], tasks["pinned"][index] = unit, 1
    return len(later)


async def main(plant_file: Path, data: Path) -> None:
    """Answer until killed."""
    directory = DataDir(data)
    clock = load_clock(directory.clock_file)
    plant = load_plant(plant_file)
    bus = await NatsBus.connect(load_access(directory.secrets), name="planner")
    planner = PretendPlanner(plant, Store(directory.store_url), clock.now_ns)
    await bus.respond(subjects.plan_ask(plant.id), planner.answer)
    await Health(bus, plant.id, "planner", dict).run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
