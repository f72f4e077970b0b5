"""The registers of all devices behind one peer: what the twin publishes is written here, what masters read is cut from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zhongshu.connectors.modbus.codec import WORD, Layout, Place, Words, place_of, value_of, words_of
from zhongshu.connectors.modbus.config import Settings, UnitAddress
from zhongshu.model.batch import Floats, Int64s
from zhongshu.model.plant import Point, Unit


@dataclass(frozen=True, slots=True)
class Span:
    """The mapped part of one table of one unit: ``count`` registers from ``start``, at ``offset`` in the vector of all."""

    start: int
    count: int
    offset: int

    def covers(self, start: int, count: int) -> bool:
        """Whether all these registers exist."""
        return self.start <= start and start + count <= self.start + self.count


class NoSuchRegister(Exception):
    """A register that no point lies in, part of a value only, or a unit that is not here."""


class Registers:
    """One vector of words for all units, so that a tick of the whole plant is written in a few numpy operations.

    Points are addressed by their index in ``[p for u in units for p in u.points]``.
    """

    def __init__(self, units: Sequence[Unit], settings: Settings) -> None:
        self.points: list[Point] = [p for u in units for p in u.points]
        self.unit_of: list[Unit] = [u for u in units for _ in u.points]
        self._places = [place_of(p, settings) for p in self.points]
        self._ids = {u.id: UnitAddress.model_validate(dict(u.address)).unit_id for u in units}
        if len(set(self._ids.values())) < len(self._ids):
            raise ValueError("two units of one connection have the same unit_id")
        self._spans = self._lay_out()
        size = sum(s.count for s in self._spans.values())
        self._words = np.zeros(size, dtype=WORD)
        self._starts = [self._start(i) for i in range(len(self.points))]
        self._layout = Layout(self._places, self._starts)
        self._owner = np.full(size, -1, dtype=np.int64)
        for i, place in enumerate(self._places):
            self._owner[self._starts[i] : self._starts[i] + place.size] = i

    def publish(self, index: Int64s, values: Floats) -> None:
        """Write these points' values, all at once as seen from the wire."""
        self._layout.encode(self._words, index, values)

    def clear(self) -> None:
        """All registers are 0, as after power-on."""
        self._words[:] = 0

    def has_unit(self, unit_id: int) -> bool:
        """Whether such a device is here."""
        return unit_id in self._ids.values()

    def read(self, unit_id: int, table: str, start: int, count: int) -> Words:
        """These registers (or bits, as words of 0 and 1). Raises NoSuchRegister."""
        at = self._at(unit_id, table, start, count)
        return self._words[at : at + count]

    def points_in(self, unit_id: int, table: str, start: int, count: int) -> list[int]:
        """Indexes of the points that lie in exactly these registers. Raises NoSuchRegister where one is unused or cut."""
        at = self._at(unit_id, table, start, count)
        owners = self._owner[at : at + count]
        found = [int(i) for i in np.unique(owners)]
        if found[0] < 0 or sum(self._places[i].size for i in found) != count:
            raise NoSuchRegister(f"{table} {start}+{count}")
        return sorted(found, key=lambda i: self._places[i].register)

    def decode(self, index: int, start: int, words: Sequence[int]) -> float:
        """The value of a point in ``words`` that begin at register ``start``."""
        place = self._places[index]
        at = place.register - start
        return value_of(place, words[at : at + place.size])

    def value(self, index: int) -> float:
        """The value of a point as it stands in the registers."""
        at = self._starts[index]
        return value_of(self._places[index], self._words[at : at + self._places[index].size].tolist())

    def put(self, index: int, start: int, words: Sequence[int]) -> None:
        """Keep a point's own part of ``words`` that begin at register ``start``, bit for bit."""
        at, place = self._starts[index], self._places[index]
        first = place.register - start
        self._words[at : at + place.size] = words[first : first + place.size]

    def store(self, index: int, value: float) -> None:
        """Write one point's value. Raises NotRepresentable."""
        at, place = self._starts[index], self._places[index]
        self._words[at : at + place.size] = words_of(place, value)

    def _at(self, unit_id: int, table: str, start: int, count: int) -> int:
        span = self._spans.get((unit_id, table))
        if span is None or not span.covers(start, count):
            raise NoSuchRegister(f"{table} {start}+{count}")
        return span.offset + start - span.start

    def _start(self, index: int) -> int:
        place = self._places[index]
        span = self._spans[self._ids[self.unit_of[index].id], place.table]
        return span.offset + place.register - span.start

    def _lay_out(self) -> dict[tuple[int, str], Span]:
        tables: dict[tuple[int, str], list[Place]] = {}
        for unit, place in zip(self.unit_of, self._places, strict=True):
            tables.setdefault((self._ids[unit.id], place.table), []).append(place)
        spans: dict[tuple[int, str], Span] = {}
        offset = 0
        for key, places in tables.items():
            start = min(p.register for p in places)
            spans[key] = Span(start, max(p.end for p in places) - start, offset)
            offset += spans[key].count
        return spans
