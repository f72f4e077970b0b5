"""For tests of policies: a plant file, a few plant hours in virtual time, and what came of it; the same seed, the same day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zhongshu.cli.rehearsal.policies import POLICIES
from zhongshu.cli.rehearsal.stage import Stage
from zhongshu.cli.twin_process import TRUTH
from zhongshu.decide.policies import Policy
from zhongshu.kernel.clock import NS
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.virtual import run
from zhongshu.twin.settings import TwinTruth, load_truth


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the twin's own book, ``t_s`` plant seconds after the begin; kinds: see ``twin.truth``."""

    kind: str
    t_s: float
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Played:
    """``figures``: as `zhongshu rehearse --json` has them. ``events``: what really happened, in order."""

    figures: Mapping[str, Any]
    events: tuple[Event, ...]

    def of(self, kind: str, unit: str = "") -> list[Event]:
        """Events of a kind, of one unit if it is named."""
        return [e for e in self.events if e.kind == kind and unit in ("", e.fields.get("unit"))]


def play(
    plant_file: Path,
    policies: Sequence[Policy] = (),
    *,
    hours: float = 2.0,
    seed: int = 1,
    run_by: str = "first-come",
    truth: TwinTruth | None = None,
    speed: float = 30.0,
    begins_h: int = 6,
) -> Played:
    """The whole brain with these ``policies`` and no others, against the twin of the plant.

    ``run_by``: who gives out the work, one of `zhongshu rehearse --policy`; only ``brain`` and ``daily-plan`` make plans.
    ``truth``: how the plant really behaves, by default the file twin.yaml beside the plant's. ``begins_h``: the hour of a Monday,
    in the plant's own time. Raises PlantFileError.
    """
    plant = load_plant(plant_file)
    believed = truth or load_truth(plant_file.with_name(TRUTH), plant)
    events: list[Event] = []

    async def whole() -> dict[str, Any]:
        stage = Stage(plant, believed, seed, POLICIES[run_by], speed, policies, begins_h)
        begun_ns = stage.clock.now_ns()

        def book(kind: str, t_ns: int, fields: Mapping[str, Any]) -> None:
            events.append(Event(kind, (t_ns - begun_ns) / NS, dict(fields)))

        stage.told = book
        return await stage.play(hours)

    return Played(run(whole), tuple(events))
