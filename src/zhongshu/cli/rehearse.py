"""`zhongshu rehearse`: a plant's day in virtual time, run by one policy; figures for people or as JSON."""

from __future__ import annotations

import gc
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zhongshu.cli.rehearsal.policies import POLICIES
from zhongshu.cli.twin_process import TRUTH
from zhongshu.decide.policies import switched_on
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.strings import strings_of
from zhongshu.kernel.virtual import run
from zhongshu.twin.settings import load_truth

#: Plant seconds in a virtual second. Everything that the brain does by its own clock is that much slower for the plant.
SPEED = 30.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed; without ``seed`` the truth's own is taken. ``without``: coordination policies that are switched off,
    ``files``: those of somebody's own that are added."""

    plant: Path
    hours: float
    seed: int | None
    policy: str
    as_json: bool
    speed: float = SPEED
    without: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()


def rehearse(asked: Asked) -> int:
    """Print the figures; raises PlantFileError, PolicyError, SystemExit for a way to run it that there is not."""
    gc.disable()  # nothing of what is loaded first is garbage
    try:
        figures = _figures(asked)
    finally:
        gc.unfreeze()
        gc.enable()
    print(json.dumps(figures) if asked.as_json else _table(figures))
    return 0


def _figures(asked: Asked) -> dict[str, Any]:
    policy = POLICIES.get(asked.policy)
    if policy is None:
        raise SystemExit(f"there is no policy {asked.policy!r}: {', '.join(POLICIES)}")
    if policy.plans and not _can_plan():
        raise SystemExit(f"the policy {policy.name!r} needs a planner: pip install 'zhongshu[plan]'")
    plant = load_plant(asked.plant)
    truth = load_truth(asked.plant.with_name(TRUTH), plant)
    seed = truth.seed if asked.seed is None else asked.seed
    coordinated = plant if policy.coordinates else replace(plant, policies={})
    rules = switched_on(coordinated, asked.without, asked.files)

    async def play() -> dict[str, Any]:
        from zhongshu.cli.rehearsal.stage import Stage

        stage = Stage(plant, truth, seed, policy, asked.speed, rules)
        gc.freeze()  # what is there now stays to the end: nobody has to look through it again and again
        gc.enable()
        return await stage.play(asked.hours)

    said: dict[str, Any] = {"plant": plant.id, "policy": policy.name, "seed": seed, "hours": asked.hours}
    said |= {"coordination": [rule.name for rule in rules], "without": sorted(asked.without)}
    return said | run(play)


def _can_plan() -> bool:
    """Asked only where it matters: a rule needs nothing of what running a plant brings with it."""
    from zhongshu.cli.run import can_plan

    return can_plan()


def _table(figures: dict[str, Any]) -> str:
    texts = strings_of("zhongshu.cli")
    rows = [(texts.text(f"rehearse.{name}", "en"), value) for name, value in figures.items()]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)
