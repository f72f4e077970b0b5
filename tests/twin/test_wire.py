"""The twin on real OPC UA and Modbus: what arrives is what was made available, and jobs asked for over the wire are done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from tests.twin.ear import Ear, numbered
from tests.twin.small import EXACT, PART, STAMP, TRAY, small_plant
from zhongshu.connectors import registry
from zhongshu.kernel.clock import NS, ScaledClock, wall_clock
from zhongshu.kernel.ports import Connector
from zhongshu.model import roles
from zhongshu.model.commands import Call, Outcome, Result, Verb
from zhongshu.model.plant import Plant
from zhongshu.twin.control import ask
from zhongshu.twin.truth import Truth
from zhongshu.twin.twin import Twin


async def _until(true: Callable[[], bool], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.05)


async def test_a_short_day_on_the_wire(data_dir: Path, free_ports: Callable[[], int]) -> None:
    plant = numbered(small_plant(free_ports(), free_ports(), vehicles=False))
    now_ns = wall_clock().wall_ns()
    clock = ScaledClock(now_ns, now_ns, 20.0)
    secrets = data_dir / "secrets"
    secrets.mkdir()
    truth_dir = data_dir / "truth"
    twin = Twin(
        plant,
        EXACT,
        clock,
        1,
        secrets=secrets,
        truth_dir=truth_dir,
        data_dir=data_dir,
        state=data_dir / "s.json",
    )
    running = asyncio.create_task(twin.run())
    ears = {c.id: Ear() for c in plant.connections}
    links: dict[str, Connector] = {
        c.id: registry.connector(plant, c, clock, secrets) for c in plant.connections
    }
    await _until((data_dir / "twin.json").exists, 20)
    listening = [asyncio.create_task(links[name].run(ears[name])) for name in links]
    try:
        for ear in ears.values():
            await asyncio.wait_for(ear.up.wait(), 20)
        heard_from_ns = clock.now_ns() + round(2 * clock.speed * NS)
        await asyncio.sleep(2.0)
        await _work(plant, links, ears)
        await asyncio.sleep(1.0)
        until_ns = clock.now_ns() - round(1.0 * clock.speed * NS)
        await asyncio.sleep(2.0)
        status = await asyncio.to_thread(ask, data_dir, {"op": "status"})
        assert (status["unaccounted"], status["overflowed"], status["failed"]) == (0, {}, {})
        samples = Truth(truth_dir).samples(heard_from_ns, until_ns)
        made = {
            (int(i), int(t), float(v))
            for i, t, v in zip(samples.point, samples.t_ns, samples.value, strict=True)
        }
        _compare(plant, made, ears)
    finally:
        for task in (running, *listening):
            task.cancel()
        await asyncio.gather(running, *listening, return_exceptions=True)
    assert json.loads((data_dir / "s.json").read_text())["floor"]["machines"]["press-1"]["job"]["good"] == 4
    assert not (data_dir / "twin.json").exists()


async def _work(plant: Plant, links: dict[str, Connector], ears: dict[str, Ear]) -> None:
    """A job over OPC UA from acceptance to done, a refusal over Modbus, a set-point with read-back."""
    args = {"lot": 1, "product": PART, "operation": STAMP, "quantity": 4}
    answer = await links["machines"].call(Call("press-1", Verb.START_JOB, 5, args))
    assert (answer.outcome, answer.result) == (Outcome.ACCEPTED, Result.OK)
    again = await links["machines"].call(Call("press-1", Verb.START_JOB, 5, args))
    assert again.outcome is Outcome.ACCEPTED
    args = {"lot": 2, "product": TRAY, "operation": 40, "quantity": 4}
    refused = await links["packing"].call(Call("pack", Verb.START_JOB, 6, args))
    assert (refused.outcome, refused.result) == (Outcome.REFUSED, Result.NO_MATERIAL)
    unit = plant.unit_of["press-1"]
    set_point = next(p for p in unit.points if p.name == "force_set")
    assert (await links["machines"].write(set_point.id, 700.0)).outcome is Outcome.ACCEPTED
    good, state = plant.role(unit, roles.JOB_GOOD), plant.role(unit, roles.JOB_STATE)
    assert good is not None and state is not None
    ear = ears["machines"]
    await _until(lambda: ear.newest(good.id) == 4 and ear.newest(state.id) == 4, 30)


def _compare(plant: Plant, made: set[tuple[int, int, float]], ears: dict[str, Ear]) -> None:
    """``made`` indexes the plant's points, ears carry ids; here they are equal. Values lie on the wire unscaled."""
    heard = {name: ear.all() for name, ear in ears.items()}
    scale = [p.scale for p in plant.points]
    for name, samples in heard.items():
        own = {i for i, p in enumerate(plant.points) if plant.unit_of[p.unit].connection == name}
        wanted = {(i, t, round(v, 6)) for i, t, v in made if i in own}
        got = {(i, t, round(v * scale[i], 6)) for i, t, v in samples}
        assert len(wanted) > 100
        assert not ears[name].gaps
        assert wanted <= got, sorted(wanted - got)[:5]
