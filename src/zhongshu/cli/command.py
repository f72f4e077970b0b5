"""`zhongshu command`: a person's own request goes the same way as the brain's: arbiter, wire, proof."""

from __future__ import annotations

import asyncio
import json
import secrets
from pathlib import Path

from zhongshu.cli.attach import Attached, attach
from zhongshu.kernel.bus import Message
from zhongshu.kernel.clock import load_clock
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.store import Store
from zhongshu.kernel.wire import decode_event, publish_event
from zhongshu.model import subjects
from zhongshu.model.commands import ENDS, CommandStatus, Verb
from zhongshu.model.messages import CommandChanged, Proposed
from zhongshu.model.plant import Plant

BY_HAND = ("stop", "reset", "hold", "unhold", "abort_job", "set_parameter")
WAIT_WALL_S = 60.0


async def give_command(data: Path, unit: str, verb: str, by: str, point: str, value: float | None) -> int:
    """Propose, print every step, return 0 when proven and 1 otherwise."""
    if verb not in BY_HAND:
        print(f"{verb!r} can't be given by hand; one of {', '.join(BY_HAND)} can")
        return 1
    async with attach(data) as here:
        plant = assign_ids(load_plant(here.plant_file), Store(here.data.store_url))
        if unit not in plant.unit_of:
            print(f"{plant.id} has no unit {unit!r}")
            return 1
        proposed = _proposal(here, plant, unit, verb, by, _args(plant, unit, verb, point, value))
        return await _follow(here, proposed)


def _args(plant: Plant, unit: str, verb: str, point: str, value: float | None) -> dict[str, float]:
    if verb != "set_parameter":
        return {}
    found = next((p for p in plant.unit_of[unit].points if p.name == point), None)
    if found is None or value is None:
        writable = ", ".join(p.name for p in plant.unit_of[unit].points if p.writable)
        raise SystemExit(
            f"set_parameter needs --point and --value; {unit} has {writable or 'no writable point'}"
        )
    return {"point": found.id, "value": value}


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

    async def hear(message: Message) -> None:
        event = decode_event(message.subject, message.payload)
        if isinstance(event, CommandChanged) and event.proposal == proposed.proposal:
            print(f"{event.status:<9} {event.detail}")
            if CommandStatus(event.status) in ENDS and not ended.done():
                ended.set_result(event.status)

    listening = await here.bus.listen(subjects.events(here.plant_id, CommandChanged.__name__), hear)
    await publish_event(here.bus, proposed, msg_id=f"proposal.{proposed.proposal}")
    try:
        return 0 if await asyncio.wait_for(ended, WAIT_WALL_S) == CommandStatus.PROVEN else 1
    except TimeoutError:
        print("no end in sight; see the Act page")
        return 1
    finally:
        await listening.close()
