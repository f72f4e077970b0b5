"""The plan document says of every task and move what the solution says, in the columns that store and pages expect."""

from __future__ import annotations

import json

from tests.decide.planning.plants import (
    NOW,
    built,
    changed_type,
    idle,
    lot,
    order,
    plant_of,
    product,
    step,
    waiting,
)
from tests.decide.small_plant import assembled
from zhongshu.decide.planning.build import Built, PlanRule
from zhongshu.decide.planning.document import at, document
from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.problem import AT_HAND
from zhongshu.decide.scheduling.solution import Moved, Placed, Solution
from zhongshu.decide.work import LotStatus, Work
from zhongshu.kernel.clock import NS
from zhongshu.model.plant import TariffBand

SHORT = product("hood", 1, step(10, "a-cut"), step(20, "b-coat"))
COLUMNS = {
    "id", "order", "lot", "product", "operation", "unit", "start", "end", "left", "setup", "latest", "batch", "moved", "frozen",
    "pinned", "status", "actual_start", "actual_end",
}  # fmt: skip


def case() -> tuple[Work, Built, Solution]:
    """Lot 7 is cut and waits to be fetched, lot 8 is being cut; both go to coat-1, the second with a set-up."""
    plant = changed_type(
        plant_of(
            SHORT,
            product("hob", 2, step(10, "a-cut"), step(20, "b-coat", family="red")),
            tariff=(TariffBand(plant_of(SHORT).name, 0, 1440, 3.6),),
        ),
        "b-coat",
        {"power_kw": 10.0},
        setups={"steel": {"red": 60.0, "steel": 0.0}, "red": {"steel": 60.0, "red": 0.0}},
    )
    work = idle(plant)
    order(work, "A", due_ns=NOW + 100 * NS)
    order(work, "B", product="hob", priority=9)
    waiting(work, 7, "A", "cut-1", 1, at_output=True)
    lot(
        work,
        8,
        "B",
        product="hob",
        status=LotStatus.RUNNING,
        place="cut-2",
        target="cut-2",
        started_ns=NOW - 5 * NS,
    )
    made = built(work, [PlanRule(1, "pin", "7:1", args={"unit": "coat-1"})])
    placed = {
        "7:1": Placed(made.index["7:1"], 0, 40, 65, 65),
        "8:0": Placed(made.index["8:0"], 0, -5, 20, 70),
        "8:1": Placed(made.index["8:1"], 0, 125, 150, 150),
    }
    to_7, to_8 = (next(i for i, a in enumerate(made.problem.arcs) if made.carried[i] == n) for n in (7, 8))
    moves = {to_7: Moved(to_7, 0, 0, 40), to_8: Moved(to_8, 0, 70, 100)}
    ordered = tuple(sorted(placed.values(), key=lambda p: p.task))
    return work, made, Solution(ordered, moves)


def test_the_document_is_the_solution() -> None:
    work, made, solution = case()
    assert [str(v) for v in violations(made.problem, solution)] == []
    doc = document(
        work.plant, made, solution, version=4, name="two lots", cause={"kind": "test", "text": {"zh": "试", "en": "try"}, "t_ns": 1},
        figures={"bound": 12.5},
    )  # fmt: skip
    assert json.loads(json.dumps(doc)) == doc
    assert (doc["version"], doc["status"], doc["name"], doc["origin_ns"], doc["made_ns"]) == (
        4,
        "live",
        "two lots",
        NOW,
        NOW,
    )
    tasks = doc["tasks"]
    assert set(tasks) == COLUMNS
    assert {len(column) for column in tasks.values()} == {3}
    rows = {name: {k: column[i] for k, column in tasks.items()} for i, name in enumerate(tasks["id"])}
    coat = made.units.index("coat-1")
    assert rows["7:1"] | {} == {
        "id": "7:1", "order": 0, "lot": 7, "product": "hood", "operation": 20, "unit": coat, "start": 40, "end": 65,
        "left": 65, "setup": 0, "latest": 75, "batch": -1, "moved": 0, "frozen": 0, "pinned": 1, "status": "planned",
        "actual_start": None, "actual_end": None,
    }  # fmt: skip
    assert (rows["8:0"]["status"], rows["8:0"]["actual_start"], rows["8:0"]["left"]) == ("running", -5, 70)
    assert (rows["8:0"]["pinned"], rows["8:1"]["setup"]) == (0, 60)


def test_moves_say_who_carries_what_from_where_to_where() -> None:
    work, made, solution = case()
    moves = document(work.plant, made, solution)["moves"]
    at_unit = made.units.index
    assert moves == {
        "lot": [7, 8], "order": [0, 1], "vehicle": [0, 0], "from": [at_unit("cut-1"), at_unit("cut-2")],
        "to": [at_unit("coat-1")] * 2, "pickup": [0, 70], "drop": [40, 100],
    }  # fmt: skip
    assert {a.before for a in made.problem.arcs} == {AT_HAND, made.index["8:0"]}


def test_orders_figures_and_units() -> None:
    work, made, solution = case()
    doc = document(work.plant, made, solution, figures={"bound": 12.5})
    first, second = doc["orders"]
    assert first == {
        "id": "A",
        "product": "hood",
        "quantity": 5,
        "weight": 6,
        "due": 100,
        "end": 65,
        "late_s": 0,
    }
    assert (second["id"], second["end"], second["weight"]) == ("B", 150, 2)
    figures = doc["kpis"]
    assert (figures["tasks"], figures["orders"], figures["late"], figures["on_time_pct"]) == (3, 2, 0, 100.0)
    assert (figures["makespan_s"], figures["setups"], figures["setup_s"], figures["bound"]) == (
        150,
        1,
        60,
        12.5,
    )
    # 2 x 25 s of 10 kW at 3.60 a kWh.
    assert figures["energy_cost"] == 0.5
    assert [u["id"] for u in doc["units"]] == list(made.units)
    assert doc["vehicles"] == ["agv-0"]
    assert at(doc, 60) == NOW + 60 * NS


def test_closed_times_say_why() -> None:
    work, _, _ = case()
    work.states["pack-1"] = ("IDLE", "LOCAL")
    again = built(work, [PlanRule(1, "maintenance", "oven-1", NOW + 100 * NS, NOW + 200 * NS)])
    tasks = tuple(sorted(case()[2].placed, key=lambda p: p.task))
    doc = document(work.plant, again, Solution(tasks, case()[2].moved))
    closed = {u["id"]: u["closed"] for u in doc["units"]}
    assert closed["pack-1"] == [[0, 7200, "down"]]
    assert closed["oven-1"] == [[100, 200, "maintenance"]]


def test_what_is_carried_is_the_part_and_not_what_it_goes_into() -> None:
    units = {"cut-1": "a-cut", "build-1": "d-build"}
    work = idle(plant_of(*assembled(["d-build"], {"body": ["a-cut"]}), units=units))
    order(work, "A")
    lot(work, 1, "A")
    part = {"product": "body", "parent": 1, "next_step": 1, "status": LotStatus.FINISHED}
    lot(work, 2, "A", place="cut-1", at_output=True, **part)
    made = built(work)
    end = 40 + made.problem.tasks[0].modes[0].duration
    solution = Solution((Placed(0, 0, 40, end, end),), {0: Moved(0, 0, 0, 30)})
    assert [str(v) for v in violations(made.problem, solution)] == []
    assert document(work.plant, made, solution)["moves"]["lot"] == [2]
