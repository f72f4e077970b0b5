"""Rectangles and counts → places of units on the floor; places and road map → the station of each unit."""

from __future__ import annotations

import math
from collections.abc import Iterable

from zhongshu.kernel.plantfile.spec import AreaSpec
from zhongshu.model.plant import Node

#: Room for the area's title above the first row, and to the walls.
_TITLE_M = 4.0
_MARGIN_M = 1.5


def grid(area: AreaSpec, count: int) -> list[tuple[float, float]]:
    """Places for so many units in rows, left to right and downwards, in m."""
    width, height = area.width_m - 2 * _MARGIN_M, max(area.height_m - _TITLE_M - _MARGIN_M, 1.0)
    columns = area.columns or max(1, min(count, math.ceil(math.sqrt(count * width / height))))
    rows = max(1, math.ceil(count / columns))
    dx, dy = width / columns, height / rows
    return [
        (
            round(area.x_m + _MARGIN_M + dx * (i % columns + 0.5), 2),
            round(area.y_m + _TITLE_M + dy * (i // columns + 0.5), 2),
        )
        for i in range(count)
    ]


def nearest(nodes: Iterable[Node], x_m: float, y_m: float) -> str:
    """The id of the node nearest to a place, "" where there are none."""
    best = min(nodes, key=lambda n: (n.x_m - x_m) ** 2 + (n.y_m - y_m) ** 2, default=None)
    return best.id if best else ""
