"""Every point path gets a dense number that it keeps: read from and written to the store, carried by all samples."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import insert, select

from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import PointId
from zhongshu.model.plant import Plant, Unit

ID_LIMIT = 2**31


def assign_ids(plant: Plant, store: Store) -> Plant:
    """The same plant, every point with its id: 0, 1, 2 … in the order in which their paths were first seen.

    A path keeps its id across edits and restarts; the id of a removed path stays reserved for it, so history never
    changes its owner. Two points of one path are a ValueError.
    """
    paths = [point.path for point in plant.points]
    if len(set(paths)) != len(paths):
        twice = next(path for path in paths if paths.count(path) > 1)
        raise ValueError(f"two points have the path {twice}")
    with store.begin() as session:
        rows = session.scalars(select(PointId).where(PointId.plant == plant.id))
        ids = {row.path: row.id for row in rows}
        first = max(ids.values(), default=-1) + 1
        new = [path for path in paths if path not in ids]
        if first + len(new) > ID_LIMIT:
            raise ValueError(f"plant {plant.id} has used up its {ID_LIMIT} point ids")
        fresh = {path: first + index for index, path in enumerate(new)}
        if fresh:
            session.execute(
                insert(PointId), [{"plant": plant.id, "path": p, "id": i} for p, i in fresh.items()]
            )
    ids.update(fresh)
    return replace(plant, units=tuple(_numbered(unit, ids) for unit in plant.units))


def _numbered(unit: Unit, ids: dict[str, int]) -> Unit:
    return replace(unit, points=tuple(replace(point, id=ids[point.path]) for point in unit.points))
