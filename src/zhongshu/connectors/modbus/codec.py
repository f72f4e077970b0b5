"""Between registers and values: a whole vector of 16-bit words becomes all values of a unit in a few numpy operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from zhongshu.connectors.modbus.config import PointAddress, Settings
from zhongshu.model.batch import Floats, Int64s
from zhongshu.model.plant import Point

#: Registers as they travel: big-endian 16-bit words. A coil or discrete input is a word of 0 or 1 in here.
Words = npt.NDArray[np.uint16]
WORD = np.dtype(">u2")

_NUMPY = {
    "int16": ">i2",
    "uint16": ">u2",
    "int32": ">i4",
    "uint32": ">u4",
    "int64": ">i8",
    "uint64": ">u8",
    "float32": ">f4",
    "float64": ">f8",
    "bit": ">u2",
}
BIT_TABLES = frozenset({"coil", "discrete"})


class NotRepresentable(ValueError):
    """A value has no exact place in a register's data type; ``key`` names the words for it in strings.toml."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Place(NamedTuple):
    """Where a value lies (``table``, first ``register``) and how it is written down."""

    table: str
    register: int
    dtype: str
    word_order: str
    byte_order: str

    @property
    def size(self) -> int:
        """Registers (or bits) it takes."""
        return np.dtype(_NUMPY[self.dtype]).itemsize // WORD.itemsize

    @property
    def end(self) -> int:
        """First register behind it."""
        return self.register + self.size


def place_of(point: Point, settings: Settings) -> Place:
    """The point's place. Raises ValueError, naming the point, for an address that no device can have."""
    try:
        address = PointAddress.model_validate(dict(point.address))
    except ValueError as error:
        raise ValueError(f"{point.path}: {error}") from error
    made = Place(
        address.table,
        address.register_,
        address.dtype,
        address.word_order or settings.word_order,
        address.byte_order or settings.byte_order,
    )
    if (made.table in BIT_TABLES) != (made.dtype == "bit"):
        raise ValueError(f"{point.path}: dtype {made.dtype} does not fit table {made.table}")
    if made.end > 65536:
        raise ValueError(f"{point.path}: register {made.register} + {made.size} is beyond 65535")
    return made


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Values written down in the same way: ``rows`` their indexes, ``index`` (n × size) where their words lie, most significant first."""

    dtype: np.dtype[Any]
    swap_bytes: bool
    rows: Int64s
    index: npt.NDArray[np.intp]

    def decode(self, words: Words, out: Floats) -> None:
        taken = np.ascontiguousarray(words[self.index])
        if self.swap_bytes:
            taken = taken.byteswap()
        out[self.rows] = taken.view(self.dtype)[:, 0]

    def encode(self, words: Words, rows: Int64s, values: Floats) -> None:
        made = _cast(values, self.dtype).view(WORD).reshape(len(values), -1)
        words[self.index[rows]] = made.byteswap() if self.swap_bytes else made


class Layout:
    """Where the values of ``places`` lie in one vector of words; made once, used for every image."""

    def __init__(self, places: Sequence[Place], starts: Sequence[int]) -> None:
        """``starts[i]`` is the index in the vector at which the words of ``places[i]`` begin."""
        self.count = len(places)
        kinds: dict[tuple[str, str, str], list[int]] = {}
        for i, place in enumerate(places):
            kinds.setdefault((place.dtype, place.word_order, place.byte_order), []).append(i)
        self._groups = [_group(kind, rows, starts) for kind, rows in kinds.items()]
        self._group_of = np.zeros(self.count, dtype=np.int64)
        self._row_of = np.zeros(self.count, dtype=np.int64)
        for number, group in enumerate(self._groups):
            self._group_of[group.rows] = number
            self._row_of[group.rows] = np.arange(len(group.rows))

    def decode(self, words: Words) -> Floats:
        """All values, in the order of ``places``, from the whole vector of words."""
        out = np.empty(self.count, dtype=np.float64)
        for group in self._groups:
            group.decode(words, out)
        return out

    def encode(self, words: Words, index: Int64s, values: Floats) -> None:
        """Write ``values`` of the places ``index`` into the vector; what a type cannot hold is cut to its limits."""
        kinds = self._group_of[index]
        for number, group in enumerate(self._groups):
            chosen = np.flatnonzero(kinds == number)
            if len(chosen):
                group.encode(words, self._row_of[index[chosen]], values[chosen])


def _group(kind: tuple[str, str, str], rows: list[int], starts: Sequence[int]) -> _Group:
    dtype = np.dtype(_NUMPY[kind[0]])
    offsets = np.arange(dtype.itemsize // WORD.itemsize)
    if kind[1] == "little":
        offsets = offsets[::-1]
    first = np.array([starts[i] for i in rows], dtype=np.intp)
    return _Group(dtype, kind[2] == "little", np.array(rows, dtype=np.int64), first[:, None] + offsets)


def _cast(values: Floats, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The nearest values that the type holds; no value (NaN) is 0 in an integer."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):  # beyond float32 a device shows infinity, too
            return np.ascontiguousarray(values.astype(dtype))
    low, high = int_limits(dtype)
    return np.clip(np.rint(np.nan_to_num(values, nan=0.0)), low, high).astype(dtype)


def int_limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Smallest and largest value of an integer type that a float64 can say exactly."""
    limits = np.iinfo(dtype)
    high = float(limits.max)
    return float(limits.min), high if int(high) <= limits.max else float(np.nextafter(high, 0.0))


def words_of(place: Place, value: float) -> list[int]:
    """The registers of one value, to the type's own precision. Raises NotRepresentable where the type can hold no such value."""
    dtype = np.dtype(_NUMPY[place.dtype])
    if not np.isfinite(value):
        raise NotRepresentable("write.not_finite")
    if dtype.kind == "f":
        if abs(value) > float(np.finfo(dtype).max):
            raise NotRepresentable("write.out_of_range")
    else:
        low, high = (0.0, 1.0) if place.dtype == "bit" else int_limits(dtype)
        whole = float(np.rint(value))
        if not low <= whole <= high:
            raise NotRepresentable("write.out_of_range")
        if abs(value - whole) > max(
            1e-6, 1e-12 * abs(value)
        ):  # what scaling leaves is forgiven, half a step is not
            raise NotRepresentable("write.not_whole")
    words = np.zeros(place.size, dtype=WORD)
    Layout([place], [0]).encode(words, np.zeros(1, dtype=np.int64), np.array([value], dtype=np.float64))
    return [int(word) for word in words]


def value_of(place: Place, words: Sequence[int]) -> float:
    """The value of one place from its registers."""
    return float(Layout([place], [0]).decode(np.array(words, dtype=WORD))[0])
