"""A day that was run over the wire, held against the twin's own book: job by job, lot by lot, piece by piece."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from zhongshu.historian.query import Offline
from zhongshu.kernel.clock import NS
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.plan_tables import Correction
from zhongshu.kernel.store.tables import Command, WorkOrder
from zhongshu.model.autonomy import BRAIN
from zhongshu.model.commands import ENDS, CommandStatus, Verb
from zhongshu.model.plant import Plant
from zhongshu.twin.truth import Truth

#: Plant seconds by which the brain's time of a job's end may differ from the twin's, for each plant second of a wall second:
#: devices are scanned, and each sample has the time of its scan.
APART_WALL_S = 2.0
EVENTS_MAX = 1_000_000
_ENDED = {"DONE": "done", "ABORTED": "aborted"}


@dataclass(slots=True)
class Audit:
    """``wrong``: a line for everything that does not hold. ``apart_s``: by how many plant seconds the ends of jobs differ."""

    orders: int = 0
    orders_done: int = 0
    pieces: int = 0
    jobs: int = 0
    transports: int = 0
    commands: Counter[str] = field(default_factory=Counter)
    breakdowns: int = 0
    plans: int = 0
    tasks: int = 0
    unknown: int = 0
    by_hand: int = 0
    told: int = 0
    apart_s: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def audit(data: Path, truth_folder: Path, plant: Plant, speed: float) -> Audit:
    """Read store, history and the twin's book of a plant that was stopped in good order."""
    found, truth = Audit(), Truth(truth_folder).events()
    with Store(f"sqlite:///{data / 'store.db'}").read() as session:
        orders = list(session.scalars(select(WorkOrder)))
        commands = {row.key: row for row in session.scalars(select(Command))}
        corrections = len(list(session.scalars(select(Correction))))
    _orders(found, orders, truth, plant)
    _commands(found, commands)
    found.by_hand = corrections + sum(row.by != BRAIN for row in commands.values())
    plans = [json.loads(row["payload"]) for row in _events(data, "SchedulePublished")]
    found.plans, found.tasks = len(plans), max((int(plan["tasks"]) for plan in plans), default=0)
    found.wrong += [*double_booked(truth, commands), *twice(truth, commands)]
    actuals(found, _told(data), truth, commands, APART_WALL_S * speed)
    found.transports = sum(e["kind"] == "transport" and e["end"] == "done" for e in truth)
    found.breakdowns = sum(e["kind"] == "breakdown" for e in truth)
    found.wrong += [f"{e['unit']} met {e['other']}" for e in truth if e["kind"] == "collision"]
    return found


def _orders(
    found: Audit, orders: Sequence[WorkOrder], truth: Sequence[Mapping[str, Any]], plant: Plant
) -> None:
    """All done; the store's pieces are the warehouse's."""
    stored: Counter[int] = Counter()
    for event in truth:
        if event["kind"] == "stored":
            stored[int(event["product"])] += int(event["pieces"])
    counted: Counter[int] = Counter()
    for order in orders:
        counted[plant.product_of[order.product].code] += order.done
        found.orders_done += order.status == "done"
        if order.status != "done":
            found.wrong.append(f"order {order.id} is {order.status}, {order.done} of {order.quantity}")
        elif order.done + order.scrapped < order.quantity:
            found.wrong.append(
                f"order {order.id}: {order.done} done, {order.scrapped} scrapped of {order.quantity}"
            )
    found.orders, found.pieces = len(orders), sum(stored.values())
    if +stored != +counted:
        found.wrong.append(f"the warehouse has {dict(stored)}, the store says {dict(counted)}")


def _commands(found: Audit, commands: Mapping[int, Command]) -> None:
    """Each is at its end."""
    ends = {status.value for status in ENDS}
    for row in commands.values():
        found.commands[row.status] += 1
        if row.status not in ends:
            found.wrong.append(f"command {row.key} ({row.verb} to {row.unit}) is still {row.status}")
    found.unknown = found.commands[CommandStatus.UNKNOWN.value]


def double_booked(truth: Sequence[Mapping[str, Any]], commands: Mapping[int, Command]) -> Iterator[str]:
    """No unit has two jobs at once, no vehicle two transports, no lot two vehicles."""
    at_work: dict[str, int] = {}
    lots: dict[int, str] = {}
    for event in truth:
        if event["kind"] not in ("job", "transport"):
            continue
        unit, key = event["unit"], int(event["key"])
        if event["end"]:
            if at_work.pop(unit, key) != key:
                yield f"{unit} ended {event['kind']} {key}, which it had not begun"
            lots = {lot: vehicle for lot, vehicle in lots.items() if vehicle != unit}
            continue
        if unit in at_work:
            yield f"{unit} began {event['kind']} {key} while {at_work[unit]} was open"
        at_work[unit] = key
        if key not in commands:
            yield f"{unit} began {event['kind']} {key}, of which the store knows nothing"
        lot = int(event["lot"]) if event["kind"] == "transport" else 0
        if lot and lot in lots:
            yield f"{unit} was sent for lot {lot}, for which {lots[lot]} drives"
        if lot:
            lots[lot] = unit
    for unit, key in at_work.items():
        yield f"{unit} is still at {key}"


def twice(truth: Sequence[Mapping[str, Any]], commands: Mapping[int, Command]) -> Iterator[str]:
    """No operation was done twice on a lot, none begun twice by one command."""
    done: Counter[tuple[int, int]] = Counter()
    begun: Counter[int] = Counter()
    for event in truth:
        if event["kind"] == "job" and event["key"] in commands:
            begun[event["key"]] += not event["end"]
            if event["end"] == "done":
                done[event["lot"], int(commands[event["key"]].args["operation"])] += 1
    yield from (f"command {key} began {count} jobs" for key, count in begun.items() if count > 1)
    yield from (f"operation {work} was done {count} times" for work, count in done.items() if count > 1)


def _events(data: Path, kind: str) -> list[dict[str, Any]]:
    rows = Offline(data / "history").events(kind, limit=EVENTS_MAX).to_pylist()
    return sorted(rows, key=lambda row: int(row["seq"]))


def _told(data: Path) -> dict[int, tuple[str, int, int, int]]:
    """What the brain took down of each job: by key how it ended, good, scrap, when; the last word counts."""
    found = {}
    for row in _events(data, "JobProgressed"):
        told = json.loads(row["payload"])
        if told["state"] in _ENDED:
            found[int(told["key"])] = (_ENDED[told["state"]], told["good"], told["scrap"], int(row["t_ns"]))
    return found


def actuals(
    found: Audit,
    told: Mapping[int, tuple[str, int, int, int]],
    truth: Sequence[Mapping[str, Any]],
    commands: Mapping[int, Command],
    apart_s: float,
) -> None:
    """Of every job the brain knows the end, the counts and the time that the twin wrote down, and of no other job any."""
    real = {int(e["key"]): e for e in truth if e["kind"] == "job" and e["end"]}
    found.jobs, found.told = len(real), len(told)
    for key, event in real.items():
        if key not in told:
            found.wrong.append(
                f"job {key} on {event['unit']} ended {event['end']}, and nobody took that down"
            )
            continue
        end, good, scrap, t_ns = told[key]
        if (end, good, scrap) != (event["end"], event["good"], event["scrap"]):
            was = f"{event['end']}, {event['good']} good, {event['scrap']} scrap"
            found.wrong.append(f"job {key} on {event['unit']}: {was}; taken down: {end}, {good}, {scrap}")
        found.apart_s.append(abs(t_ns - event["t_ns"]) / NS)
        if found.apart_s[-1] > apart_s:
            found.wrong.append(
                f"job {key} on {event['unit']}: its end was taken down {found.apart_s[-1]:.0f} s off"
            )
    found.wrong += [f"job {key} was taken down, and never was" for key in told.keys() - real.keys()]
    proven = {
        k
        for k, c in commands.items()
        if c.verb == Verb.START_JOB.name and c.status == CommandStatus.PROVEN.value
    }
    begun = {int(e["key"]) for e in truth if e["kind"] == "job"}
    found.wrong += [f"command {key} is proven, and its job never began" for key in proven - begun]
