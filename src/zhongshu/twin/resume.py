"""From the files of an earlier life to a floor that goes on: snapshot, then every input since at its own plant time."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from zhongshu.model.commands import Call, Verb
from zhongshu.model.plant import Plant
from zhongshu.twin.faults import PHYSICAL, Faults
from zhongshu.twin.floor import Floor
from zhongshu.twin.persist import Keep
from zhongshu.twin.scan import Scan
from zhongshu.twin.settings import TwinTruth
from zhongshu.twin.words import say

log = logging.getLogger(__name__)


def resume(keep: Keep, plant: Plant, truth: TwinTruth, seed: int, now_ns: int) -> dict[str, Any] | None:
    """The state to go on with: ``floor``, ``faults``, ``clean``, and ``scan`` and ``customer`` as they were saved.

    None to start afresh, because there was no earlier life or it was another plant's (whose files are set aside).
    """
    try:
        state = keep.load()
        if state is None:
            return None
        inputs = list(keep.inputs())
        floor = Floor(plant, truth, seed, int(state["t_ns"]))
        floor.restore(state["floor"])
        for unit, key, result, reason in keep.answers():
            keys = floor.keys(unit)
            if keys is not None:
                keys.learn(key, result, reason)
        faults = _replay(floor, inputs, state)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        path = keep.set_aside()
        log.warning("%s (%r)", say("run.state_unusable", path=path), error)
        return None
    if inputs:
        log.warning("%s", say("run.replayed", records=len(inputs)))
    return {**state, "floor": floor.dump(), "faults": faults, "clean": not inputs}


def _replay(floor: Floor, inputs: list[dict[str, Any]], state: Mapping[str, Any]) -> list[list[Any]]:
    """Do the inputs again; returns the lasting faults afterwards."""
    faults = Faults(floor, Scan(floor, {}), {})
    for kind, target, value in state["faults"]:
        faults.active[kind, target] = value  # the floor's share of it is in the snapshot
    for raw in inputs:
        floor.advance(int(raw["t"]))
        match raw["i"]:
            case "call":
                floor.called(Call(raw["unit"], Verb(raw["verb"]), raw["key"], raw["args"]))
            case "write":
                floor.written(raw["unit"], raw["point"], raw["value"])
            case "fault":
                faults.replay(raw["kind"], raw["target"], raw["value"])
    return [[kind, target, value] for (kind, target), value in faults.active.items()]


def again(faults: Faults, lasting: list[list[Any]]) -> None:
    """Let lasting faults go on: those of the floor came with its snapshot, those of sensors are made anew."""
    for kind, target, value in lasting:
        if kind in PHYSICAL and kind != "lost":
            faults.active[kind, target] = value
        else:
            faults.replay(kind, target, value)
