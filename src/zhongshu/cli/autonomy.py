"""`zhongshu autonomy`: how far the brain may go, said or changed by a named person from a terminal; act reads it in the store."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from zhongshu.cli.attach import known_plant
from zhongshu.kernel.clock import load_clock
from zhongshu.kernel.config import DataDir
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.autonomy import (
    hand_back,
    load_autonomy,
    resume_brain,
    set_level,
    stop_brain,
    take_over,
)
from zhongshu.kernel.store.rulings import rule_on
from zhongshu.kernel.store.signed import Refused, Signed
from zhongshu.kernel.store.tables import Command
from zhongshu.model.autonomy import WHOLE, Kind
from zhongshu.model.commands import CommandStatus
from zhongshu.model.plant import Plant

RULINGS = ("approve", "reject", "proven", "failed")


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed after `zhongshu autonomy`."""

    action: str
    what: tuple[str, ...]
    by: str
    note: str
    then: str


def autonomy(data: Path, typed: Typed) -> int:
    """Show it, or change it and show it; raises SystemExit with what is wrong."""
    plant = load_plant(known_plant(data)[1])
    directory = DataDir(data)
    store = Store(directory.store_url)
    store.migrate()
    try:
        if typed.action != "show":
            deed = _deed(plant, typed)
            who = Signed(typed.by, load_clock(directory.clock_file).now_ns(), typed.note)
            with store.begin() as session:
                deed(session, who)
        with store.read() as session:
            sys.stdout.write(_shown(session, plant))
    except Refused as refused:
        raise SystemExit(str(refused)) from refused
    finally:
        store.close()
    return 0


def _deed(plant: Plant, typed: Typed) -> Callable[[Session, Signed], object]:
    first, second = (*typed.what, "", "")[:2]
    where = {"unit": first} if first in plant.unit_of else {"area": first}
    match typed.action:
        case "level":
            return lambda session, who: set_level(session, plant, first, second, who)
        case "take-over":
            return lambda session, who: take_over(session, plant, who, **where)
        case "hand-back":
            return lambda session, who: hand_back(session, plant, who, **where)
        case "stop":
            return lambda session, who: stop_brain(session, plant, who, area=first, then=typed.then)
        case "resume":
            return lambda session, who: resume_brain(session, plant, who, area=first)
        case word if word in RULINGS:
            keys = [int(key) for key in typed.what if key.isdecimal()]
            if not keys or len(keys) != len(typed.what):
                raise SystemExit(f"{word} needs the numbers of commands")
            return lambda session, who: [rule_on(session, plant.id, key, word, who) for key in keys]
    raise SystemExit(
        f"{typed.action!r} is none of show, level AREA LEVEL, take-over and hand-back UNIT or AREA, stop and resume [AREA], "
        f"{', '.join(RULINGS)} COMMAND…"
    )


def _shown(session: Session, plant: Plant) -> str:
    now = load_autonomy(session, plant)
    lines = []
    stopped = now.holding(WHOLE, Kind.STOPPED)
    if stopped is not None:
        lines.append(f"plant        stopped by {stopped.by} ({stopped.value})")
    for area in plant.areas:
        told = [str(now.level(area.id, plant.ladder))]
        for kind, word in ((Kind.STOPPED, "stopped"), (Kind.TAKEN, "taken over")):
            fact = now.holding(f"area:{area.id}", kind)
            told += [f"{word} by {fact.by}"] if fact is not None else []
        lines.append(f"{area.id:<12} {', '.join(told)}")
    for unit in plant.units:
        fact = now.holding(f"unit:{unit.id}", Kind.TAKEN)
        if fact is not None:
            lines.append(f"{unit.id:<12} taken over by {fact.by}")
    wait = (Command.status == CommandStatus.PROPOSED.value) & Command.waits.is_(True)
    open_ones = select(Command).where(
        Command.plant == plant.id, wait | (Command.status == CommandStatus.UNKNOWN.value)
    )
    for row in session.scalars(open_ones.order_by(Command.key).limit(100)):
        told_of = "waits for approval" if row.status == CommandStatus.PROPOSED else "unknown"
        lines.append(f"{row.key:<12} {row.verb} {row.unit}: {told_of}")
    return "".join(f"{line}\n" for line in lines)
