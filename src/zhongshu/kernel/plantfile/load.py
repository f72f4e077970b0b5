"""plant.yaml → Plant, or every problem of the file at once; called by every process of a brain and by the twin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from zhongshu.kernel.plantfile.expand import expanded
from zhongshu.kernel.plantfile.problems import Findings, PlantFileError, Problem
from zhongshu.kernel.plantfile.source import read_source
from zhongshu.kernel.plantfile.validate import validated
from zhongshu.model.plant import Plant


def load_plant(path: Path) -> Plant:
    """The expanded plant of a file, its points without ids (-1). Raises PlantFileError with every problem found."""
    plant, findings = _load(Path(path))
    if plant is None or findings.errors:
        raise PlantFileError(findings.errors)
    return plant


def check_file(path: Path) -> list[Problem]:
    """Every error and warning of a file, in its order; empty when all is well. Never raises for what is in the file."""
    return _load(Path(path))[1].ordered()


def _load(path: Path) -> tuple[Plant | None, Findings]:
    source = read_source(path)
    findings = source.findings
    if source.values is None:
        return None, findings
    spec = validated(source.values, findings)
    return (_at_home(expanded(spec, findings), path) if spec is not None else None), findings


def _at_home(plant: Plant, path: Path) -> Plant:
    """Files that the plant file names lie beside it, wherever a process is started."""
    policies = {
        name: {**said, "file": str(path.absolute().parent / str(said["file"]))} if "file" in said else said
        for name, said in plant.policies.items()
    }
    return replace(plant, policies=policies)
