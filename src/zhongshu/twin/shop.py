"""What all machines and vehicles of one physical plant share: time, material, recipes, chance and the book of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zhongshu.model.plant import Plant
from zhongshu.twin.agenda import Agenda
from zhongshu.twin.chance import Stream
from zhongshu.twin.crews import Crews
from zhongshu.twin.lots import Lot, Stock, Where
from zhongshu.twin.recipes import Recipes
from zhongshu.twin.settings import TwinTruth

#: Lots of parts that find a place beside an assembly station beyond the size of its buffer.
SHELF = 12
#: Takes one event: its kind, plant time in ns, and plain fields.
Book = Callable[[str, int, Mapping[str, Any]], None]


class Shop:
    """Handed to every machine and vehicle; one physical plant has exactly one."""

    def __init__(
        self, plant: Plant, truth: TwinTruth, seed: int, now_ns: int, book: Book | None = None
    ) -> None:
        self.plant = plant
        self.truth = truth
        self.agenda = Agenda(now_ns)
        self.crews = Crews(plant, self.agenda)
        self.stock = Stock()
        self.recipes = Recipes(plant)
        self.book = book
        self._seed = seed
        self._streams: dict[tuple[str, str], Stream] = {}

    @property
    def now_ns(self) -> int:
        """Plant time of the physical world."""
        return self.agenda.now_ns

    def note(self, kind: str, **fields: Any) -> None:
        """Write one event into the book, if somebody keeps one."""
        if self.book is not None:
            self.book(kind, self.now_ns, fields)

    def stream(self, unit: str, purpose: str) -> Stream:
        """The seeded draws of a unit for one purpose."""
        made = self._streams.get((unit, purpose))
        if made is None:
            made = self._streams[unit, purpose] = Stream(self._seed, unit, purpose)
        return made

    def waiting(self, unit: str, *, parts: bool) -> int:
        """Lots in front of a unit: those to be worked, or (``parts``) those to be built in."""
        lots = self.stock.at(unit, (Where.INPUT,))
        return sum(self.recipes.is_part(lot.product, lot.done) is parts for lot in lots)

    def has_room(self, unit: str, lot: Lot) -> bool:
        """Whether ``lot`` may be put down in front of a unit: parts lie on a shelf of their own beside the buffer."""
        part = self.recipes.is_part(lot.product, lot.done)
        kind = self.plant.type_of[self.plant.unit_of[unit].type]
        return self.waiting(unit, parts=part) < max(1, kind.buffer_in) + (SHELF if part else 0)

    def dump_chance(self) -> dict[str, dict[str, int]]:
        """How many numbers each stream has drawn."""
        drawn: dict[str, dict[str, int]] = {}
        for (unit, purpose), stream in self._streams.items():
            drawn.setdefault(unit, {})[purpose] = stream.drawn
        return drawn

    def load_chance(self, drawn: Mapping[str, Mapping[str, int]]) -> None:
        """Let every stream go on where ``dump_chance`` saw it."""
        self._streams = {
            (unit, purpose): Stream(self._seed, unit, purpose, count)
            for unit, purposes in drawn.items()
            for purpose, count in purposes.items()
        }
