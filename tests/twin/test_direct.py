"""The same twin in memory and virtual time: samples arrive all, jobs are done, in a fraction of the time."""

from __future__ import annotations

import asyncio

from tests.twin.ear import Ear, numbered
from tests.twin.small import EXACT, PART, STAMP, small_plant
from zhongshu.kernel.clock import VirtualClock
from zhongshu.model import roles
from zhongshu.model.commands import Call, Outcome, Verb
from zhongshu.twin.direct import DirectPlant
from zhongshu.twin.twin import Twin


async def test_a_plant_in_memory_and_virtual_time() -> None:
    plant = numbered(small_plant())
    clock = VirtualClock()
    twin = Twin(plant, EXACT, clock, 1)
    direct = DirectPlant(twin)
    ears = {name: Ear() for name in direct.links}
    tasks = [asyncio.create_task(link.run(ears[name])) for name, link in direct.links.items()]
    tasks.append(asyncio.create_task(direct.run()))
    await clock.forward(2)
    args = {"lot": 1, "product": PART, "operation": STAMP, "quantity": 4}
    answer = await direct.links["machines"].call(Call("press-1", Verb.START_JOB, 1, args))
    assert answer.outcome is Outcome.ACCEPTED
    set_point = next(p for p in plant.points if p.name == "force_set")
    assert (await direct.links["machines"].write(set_point.id, 500.0)).outcome is Outcome.ACCEPTED
    assert (await direct.links["packing"].write(set_point.id, 500.0)).outcome is Outcome.REFUSED
    await clock.forward(120)
    good = plant.role(plant.unit_of["press-1"], roles.JOB_GOOD)
    assert good is not None
    assert (ears["machines"].newest(good.id), ears["machines"].newest(set_point.id)) == (4.0, 500.0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    heard = sum(len(reads.point) for ear in ears.values() for reads in ear.heard)
    assert heard == int(twin.scan.counts.sum())
