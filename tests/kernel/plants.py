"""Small plants for the tests of the kernel."""

from __future__ import annotations

from collections.abc import Sequence

from zhongshu.model.plant import Plant, Point, RoadMap, Text, Unit


def plant_of(paths: Sequence[str], plant: str = "p") -> Plant:
    """A plant with one unit that has these point paths, their ids not assigned."""
    points = tuple(_point(path) for path in paths)
    text = Text("厂", "plant")
    unit = Unit("u", "s/a/l/u", text, "t", "a", "l", "c", 0.0, 0.0, "", points, {})
    return Plant(plant, text, "s", "UTC", (), (), (unit,), (), (), (), (), "CNY", RoadMap((), (), ()))


def _point(path: str) -> Point:
    name = path.rpartition("/")[2]
    return Point(
        id=-1, path=path, unit="u", name=name, label=Text(name, name), kind="float", uom="", role="", rate_hz=1.0,
        deadband=0.0, low=None, high=None, writable=False, choices={}, scale=1.0, offset=0.0, address={},
    )  # fmt: skip
