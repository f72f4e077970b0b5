"""Which points understand looks at: per unit the ids of its state, mode, job and order points, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zhongshu.model import roles
from zhongshu.model.batch import Batch
from zhongshu.model.plant import Plant

ROLES = (
    roles.UNIT_STATE,
    roles.UNIT_MODE,
    roles.JOB_KEY,
    roles.JOB_STATE,
    roles.JOB_GOOD,
    roles.JOB_SCRAP,
    roles.ORDER_KEY,
    roles.ORDER_STATE,
    roles.LOAD,
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One sample of a watched point; ``received_ns`` is the wall time at which it came to the plant's edge."""

    unit: str
    role: str
    t_ns: int
    value: float
    quality: int
    received_ns: int = 0


class Watched:
    """Picks the few samples that matter out of a Batch without looking at each of them in Python."""

    def __init__(self, plant: Plant) -> None:
        pairs = {p.id: (u.id, p.role) for u in plant.units for p in u.points if p.role in ROLES}
        top = max((p.id for p in plant.points), default=-1)
        self._pairs = pairs
        self._mask: npt.NDArray[np.bool_] = np.zeros(top + 1, dtype=np.bool_)
        self._mask[list(pairs)] = True

    def pick(self, batch: Batch) -> Iterator[Seen]:
        """The batch's samples of watched points, in its order; ids unknown to this plant are passed over."""
        known = batch.point < len(self._mask)
        for i in np.flatnonzero(known & self._mask[np.where(known, batch.point, 0)]):
            unit, role = self._pairs[int(batch.point[i])]
            yield Seen(
                unit,
                role,
                int(batch.t_ns[i]),
                float(batch.value[i]),
                int(batch.quality[i]),
                batch.received_ns,
            )
