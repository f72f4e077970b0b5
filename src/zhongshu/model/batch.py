"""A Batch carries hundreds to thousands of samples of one connection from sense to everyone else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

GOOD = 0
UNCERTAIN = 1
BAD = 2
QUALITY_MASK = 0x03
#: Set in ``quality`` when ``t_ns`` is the receive time, because the source gave none or a wrong one.
TIME_RECEIVED = 0x04
#: Set in ``quality`` of the brain's own statements (a silent device's points turned Bad, or a value said again after its
#: connection came back): no sample of a device, never counted as one.
RESTATED = 0x08

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Samples of one connection, column by column; all four columns have the same length.

    ``point`` dense ids; ``t_ns`` plant time of the source, UTC; ``value`` engineering units;
    ``quality`` 0 Good, 1 Uncertain, 2 Bad in the low two bits, TIME_RECEIVED as a flag.
    ``received_ns`` is the wall time at which the newest of them arrived.
    """

    plant: str
    source: str
    seq: int
    received_ns: int
    point: Int32s
    t_ns: Int64s
    value: Floats
    quality: Bytes

    def __post_init__(self) -> None:
        """Refuse columns of different lengths or types."""
        n = len(self.point)
        for name, kind in (
            ("point", np.int32),
            ("t_ns", np.int64),
            ("value", np.float64),
            ("quality", np.uint8),
        ):
            column = getattr(self, name)
            if len(column) != n or column.dtype != kind:
                raise ValueError(
                    f"Batch.{name}: expected {n} × {kind.__name__}, got {len(column)} × {column.dtype}"
                )

    def __len__(self) -> int:
        """Count of samples."""
        return len(self.point)


def good(quality: Bytes) -> npt.NDArray[np.bool_]:
    """True where the sample is Good, whatever its flags."""
    return (quality & QUALITY_MASK) == GOOD
