"""`zhongshu command`: a person's own request goes the same way as the brain's: arbiter, wire, proof."""

from __future__ import annotations

import asyncio
import json
import math
import secrets
import sys
from pathlib import Path

from zhongshu.cli.attach import Attached, attach
from zhongshu.kernel.bus import Message
from zhongshu.kernel.clock import load_clock
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.signed import NOBODY
from zhongshu.kernel.wire import decode_event, publish_event
from zhongshu.model import subjects
from zhongshu.model.commands import ENDS, CommandStatus, Verb
from zhongshu.model.messages import CommandChanged, Proposed
from zhongshu.model.plant import Plant, Point

BY_HAND = ("stop", "reset", "hold", "unhold", "abort_job", "set_parameter")
WAIT_WALL_S = 60.0
BY_MAX = 64


async def give_command(data: Path, unit: str, verb: str, by: str, point: str, value: float | None) -> int:
    """Propose, print every step, return 0 when proven and 1 otherwise."""
    if verb not in BY_HAND:
        raise SystemExit(f"{verb!r} can't be given by hand; one of {', '.join(BY_HAND)} can")
    if not by.strip() or not by.isprintable() or len(by) > BY_MAX or by.casefold() in NOBODY:
        raise SystemExit(
            f"--by needs a name of 1 to {BY_MAX} printable characters: it is kept with the command"
        )
    async with attach(data) as here:
        plant = assign_ids(load_plant(here.plant_file), Store(here.data.store_url))
        if unit not in plant.unit_of:
            raise SystemExit(f"{plant.id} has no unit {unit!r}")
        proposed = _proposal(here, plant, unit, verb, by, _args(plant, unit, verb, point, value))
        return await _follow(here, proposed)


def _args(plant: Plant, unit: str, verb: str, point: str, value: float | None) -> dict[str, float]:
    if verb != "set_parameter":
        return {}
    points = plant.unit_of[unit].points
    found = next((p for p in points if p.name == point), None)
    if found is None or not found.writable or value is None or not math.isfinite(value):
        writable = ", ".join(_limits(p) for p in points if p.writable)
        raise SystemExit(
            f"set_parameter needs --value and the --point of a writable point; {unit} has "
            f"{writable or 'none'}"
        )
    return {"point": found.id, "value": value}


def _limits(point: Point) -> str:
    ends = (f"{end:g}" if end is not None else "?" for end in (point.low, point.high))
    return f"{point.name} ({' to '.join(ends)} {point.uom}".rstrip() + ")"


def _proposal(
    here: Attached, plant: Plant, unit: str, verb: str, by: str, args: dict[str, float]
) -> Proposed:
    clock = load_clock(here.data.clock_file)
    now_ns = clock.now_ns()
    return Proposed(
        plant=plant.id,
        source="cli",
        t_ns=now_ns,
        proposal=f"hand.{secrets.token_hex(8)}",
        unit=unit,
        verb=Verb[verb.upper()].name,
        args=json.dumps(args),
        decision="by_hand",
        reason="asked_by_a_person",
        subject=f"unit:{unit}",
        expires_ns=clock.to_plant_ns(clock.wall_ns() + 30_000_000_000),
        by=by,
    )


async def _follow(here: Attached, proposed: Proposed) -> int:
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    steps: list[str] = []

    async def hear(message: Message) -> None:
        event = decode_event(message.subject, message.payload)
        if isinstance(event, CommandChanged) and event.proposal == proposed.proposal:
            steps.append(event.status)
            print(f"{event.status:<9} {event.detail}", flush=True)
            if CommandStatus(event.status) in ENDS and not ended.done():
                ended.set_result(event.status)

    listening = await here.bus.listen(subjects.events(here.plant_id, CommandChanged.__name__), hear)
    await publish_event(here.bus, proposed, msg_id=f"proposal.{proposed.proposal}")
    try:
        return 0 if await asyncio.wait_for(ended, WAIT_WALL_S) == CommandStatus.PROVEN else 1
    except TimeoutError:
        heard = "no end in sight" if steps else "the brain did not answer; `zhongshu status` tells how it is"
        print(f"{heard}; the Act page shows what becomes of it", file=sys.stderr)
        return 1
    finally:
        await listening.close()
