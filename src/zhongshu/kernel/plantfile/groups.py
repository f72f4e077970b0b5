"""Built-in point groups and enumerations from groups.yaml beside this file, in a plant file's own words; read by points."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from zhongshu.kernel.plantfile.equipment import PointSpec
from zhongshu.kernel.plantfile.problems import PlantFileError
from zhongshu.kernel.plantfile.source import read_source
from zhongshu.kernel.plantfile.validate import validate_part
from zhongshu.kernel.plantfile.values import Choices, Name, Spec


class Groups(Spec):
    """Point groups and the enumerations that they use."""

    enumerations: dict[Name, Choices]
    point_groups: dict[Name, dict[Name, PointSpec]]


@cache
def builtin() -> Groups:
    """The groups that every plant file may include."""
    source = read_source(Path(__file__).with_name("groups.yaml"))
    groups = validate_part(Groups, source.values, (), source.findings)
    if groups is None:
        raise PlantFileError(source.findings.problems)
    return groups
