"""A machine as plain values and back: what a snapshot keeps of it, with every time relative to now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zhongshu.model.states import UnitState
from zhongshu.twin import packml
from zhongshu.twin.job import Job
from zhongshu.twin.machine import Machine

_PLAIN = (
    "family",
    "local",
    "maintaining",
    "latched",
    "broken",
    "slow",
    "scrap_share",
    "wear",
    "life_ns",
    "micro_ns",
    "total_good",
    "total_scrap",
    "energy_kwh",
    "running_ns",
)


def dump_machine(machine: Machine, *, answers: bool = True) -> dict[str, Any]:
    """Plain values (JSON)."""
    machine.settle()
    now = machine.shop.now_ns
    return {
        **{name: getattr(machine, name) for name in _PLAIN},
        "state": int(machine.state),
        "left_ns": None if machine.ticket is None else machine.ticket.at_ns - now,
        "job": None if machine.job is None else machine.job.dump(),
        "setpoints": dict(machine.setpoints),
        "rest": machine.rest.dump(now),
        "request": list(machine.request),
        "keys": machine.keys.dump(answers=answers),
    }


def restore_machine(machine: Machine, raw: Mapping[str, Any]) -> None:
    """Become what ``dump_machine`` saw; what was under way goes on with the time it had left."""
    for name in _PLAIN:
        setattr(machine, name, raw[name])
    machine.state = UnitState(raw["state"])
    machine.job = None if raw["job"] is None else Job.load(raw["job"])
    machine.setpoints = dict(raw["setpoints"])
    if raw.get("rest"):  # a snapshot may be older than the plant file's rest
        machine.rest.load(raw["rest"], machine.shop.now_ns)
    verb, lot, product, operation, quantity, key = raw["request"]
    machine.request = (verb, lot, product, operation, quantity, key)
    machine.keys.load(**raw["keys"])
    machine.since_ns = machine.worked_ns = machine.metered_ns = machine.shop.now_ns
    if machine.ticket is not None:
        machine.ticket.cancel()
        machine.ticket = None
    if machine.open_job is not None and machine.state in packml.MANNED:
        machine.shop.crews.has(machine.unit.id, machine.open_job.needs)
    if raw["left_ns"] is not None:
        machine.wait(int(raw["left_ns"]))
