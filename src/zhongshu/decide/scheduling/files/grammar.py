"""The grammar of a problem file: which key holds what; read by the codec and by the JSON Schema."""

from __future__ import annotations

from dataclasses import fields

from zhongshu.decide.scheduling.files.kinds import Flag, Kind, Listed, Maybe, Pair, Record, Ref, Whole, Word
from zhongshu.decide.scheduling.problem import (
    Arc,
    Before,
    Closed,
    Job,
    Material,
    Mode,
    Pin,
    Pool,
    Problem,
    Task,
    Unit,
    Vehicle,
    Weights,
)

TICK = QUANTITY = STATION = FAMILY = Whole()
UNIT, JOB, TASK = Ref("units"), Ref("jobs"), Ref("tasks")
POOL, MATERIAL = Ref("pools"), Ref("materials")
MATRIX = Listed(Listed(TICK))

CLOSED = Record(Closed, {"start": TICK, "end": TICK, "resumable": Flag()})
UNITS = Record(
    Unit,
    {
        "name": Word(),
        "closed": Listed(CLOSED),
        "setups": Whole(),
        "family": FAMILY,
        "capacity": QUANTITY,
        "buffer_in": Maybe(QUANTITY),
        "buffer_out": Maybe(QUANTITY),
        "station": STATION,
        "ready": TICK,
    },
)
POOLS = Record(Pool, {"name": Word(), "levels": Listed(Pair({"from": TICK, "level": QUANTITY}))})
MATERIALS = Record(
    Material,
    {"name": Word(), "stock": QUANTITY, "arrivals": Listed(Pair({"tick": TICK, "quantity": QUANTITY}))},
)
VEHICLES = Record(Vehicle, {"name": Word(), "station": STATION, "ready": TICK})
MODES = Record(
    Mode,
    {
        "unit": UNIT,
        "duration": TICK,
        "demands": Listed(Pair({"pool": POOL, "amount": QUANTITY})),
        "power": QUANTITY,
    },
)
USES = Listed(Pair({"material": MATERIAL, "quantity": QUANTITY}))
TASKS = Record(
    Task,
    {
        "job": JOB,
        "modes": Listed(MODES),
        "family": FAMILY,
        "size": QUANTITY,
        "interruptible": Flag(),
        "consumes": USES,
        "produces": USES,
        "name": Word(),
    },
)
ARCS = Record(
    Arc,
    {
        "before": TASK,
        "after": TASK,
        "lag_min": TICK,
        "lag_max": Maybe(TICK),
        "moves": Flag(),
        "overlap": Maybe(TICK),
        "origin": UNIT,
        "ready": TICK,
    },
)
JOBS = Record(Job, {"release": TICK, "due": TICK, "weight": Whole(), "name": Word()})
PINS = Record(
    Pin,
    {"task": TASK, "unit": Maybe(UNIT), "start": Maybe(TICK), "end": Maybe(TICK), "started": Flag()},
)
PREVIOUS = Record(Before, {"task": TASK, "unit": UNIT, "start": TICK})
WEIGHTS = Record(Weights, {field.name: Whole() for field in fields(Weights)})

_PARTS: dict[str, Kind] = {
    "units": Listed(UNITS),
    "jobs": Listed(JOBS),
    "tasks": Listed(TASKS),
    "arcs": Listed(ARCS),
    "setups": Listed(MATRIX),
    "pools": Listed(POOLS),
    "materials": Listed(MATERIALS),
    "vehicles": Listed(VEHICLES),
    "travel": MATRIX,
    "empty": MATRIX,
    "prices": Listed(Pair({"from": TICK, "price": Whole()})),
    "pins": Listed(PINS),
    "frozen": Listed(Pair({"unit": UNIT, "tasks": Listed(TASK)})),
    "previous": Listed(PREVIOUS),
    "moved_tolerance": TICK,
    "churn": Maybe(Whole()),
    "weights": WEIGHTS,
    "since": TICK,
    "name": Word(),
}
PROBLEM = Record(Problem, _PARTS)
