"""The truth about material: every lot, where it is and what it holds, changed by machines and vehicles only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

#: Numbers of lots that are gone for good, remembered so that none of them is created a second time.
GONE_KEPT = 50_000


class Where(StrEnum):
    """On which side of a unit a lot lies."""

    INPUT = "input"
    MACHINE = "machine"
    OUTPUT = "output"
    VEHICLE = "vehicle"


@dataclass(slots=True)
class Lot:
    """Pieces that travel together. ``product`` is the code; ``done`` counts the finished steps of its routing.

    ``worked`` of its ``good`` pieces already passed the step that was broken off. ``ended_ns``: when the last one ended.
    """

    number: int
    product: int
    good: int
    scrap: int
    done: int
    worked: int
    where: Where
    unit: str
    ended_ns: int = 0


@dataclass(slots=True)
class Tally:
    """Pieces of one product since the plant was built.

    created = in lots, bins and kits + scrapped + stored + consumed.
    """

    created: int = 0
    scrapped: int = 0
    stored: int = 0
    consumed: int = 0


@dataclass(slots=True)
class Stock:
    """All lots of the plant and the buffers in front of and behind each unit, oldest lot first."""

    lots: dict[int, Lot] = field(default_factory=dict)
    inputs: dict[str, list[int]] = field(default_factory=dict)
    outputs: dict[str, list[int]] = field(default_factory=dict)
    tallies: dict[int, Tally] = field(default_factory=dict)
    gone: dict[int, None] = field(default_factory=dict)
    bins: dict[str, dict[int, int]] = field(default_factory=dict)

    def tally(self, product: int) -> Tally:
        """The counters of a product code."""
        return self.tallies.setdefault(product, Tally())

    def buffer(self, unit: str, where: Where) -> list[int]:
        """Lot numbers in a unit's input or output buffer."""
        side = self.inputs if where is Where.INPUT else self.outputs
        return side.setdefault(unit, [])

    def at(self, unit: str, sides: Iterable[Where] = (Where.INPUT, Where.OUTPUT)) -> list[Lot]:
        """Lots lying at a unit, input before output, oldest first."""
        return [self.lots[number] for side in sides for number in self.buffer(unit, side)]

    def loose(self, unit: str, product: int) -> int:
        """Pieces of a product that lie beside a unit without a lot."""
        return self.bins.get(unit, {}).get(product, 0)

    def put_loose(self, unit: str, product: int, pieces: int) -> None:
        """Add (or, below 0, take) loose pieces; lots are emptied by whoever calls."""
        own = self.bins.setdefault(unit, {})
        own[product] = own.get(product, 0) + pieces

    def create(self, number: int, product: int, pieces: int, unit: str) -> Lot:
        """A new lot on the machine ``unit``, out of endless stock."""
        lot = Lot(number, product, pieces, 0, 0, 0, Where.MACHINE, unit)
        self.lots[number] = lot
        self.tally(product).created += pieces
        return lot

    def move(self, lot: Lot, where: Where, unit: str) -> None:
        """Take a lot from where it is to the end of another place; limits are the mover's business."""
        if lot.where in (Where.INPUT, Where.OUTPUT):
            self.buffer(lot.unit, lot.where).remove(lot.number)
        lot.where, lot.unit = where, unit
        if where in (Where.INPUT, Where.OUTPUT):
            self.buffer(unit, where).append(lot.number)

    def scrap(self, lot: Lot, pieces: int) -> None:
        """Pieces of a lot fail for good."""
        lot.good -= pieces
        lot.scrap += pieces
        self.tally(lot.product).scrapped += pieces

    def remove(self, lot: Lot, *, stored: bool) -> None:
        """The lot leaves the plant's floor: into the warehouse, or because nothing good is left of it."""
        self.move(lot, Where.MACHINE, "")
        if stored:
            self.tally(lot.product).stored += lot.good
        del self.lots[lot.number]
        self.gone[lot.number] = None
        while len(self.gone) > GONE_KEPT:
            del self.gone[next(iter(self.gone))]

    def dump(self, now_ns: int) -> dict[str, Any]:
        """Plain values for a snapshot, times relative to now."""
        return {
            "lots": [{**asdict(lot), "ended_ns": lot.ended_ns - now_ns} for lot in self.lots.values()],
            "inputs": {unit: list(lots) for unit, lots in self.inputs.items() if lots},
            "outputs": {unit: list(lots) for unit, lots in self.outputs.items() if lots},
            "tallies": {str(product): asdict(tally) for product, tally in self.tallies.items()},
            "gone": list(self.gone),
            "bins": {unit: {str(p): n for p, n in own.items() if n} for unit, own in self.bins.items()},
        }

    def load(self, state: Mapping[str, Any], now_ns: int) -> None:
        """Become what ``dump`` saw; a lot of an older snapshot counts as just come."""
        self.lots = {
            raw["number"]: Lot(
                **{**raw, "where": Where(raw["where"]), "ended_ns": now_ns + raw.get("ended_ns", 0)}
            )
            for raw in state["lots"]
        }
        self.inputs = {unit: list(lots) for unit, lots in state["inputs"].items()}
        self.outputs = {unit: list(lots) for unit, lots in state["outputs"].items()}
        self.tallies = {int(product): Tally(**raw) for product, raw in state["tallies"].items()}
        self.gone = dict.fromkeys(state["gone"])
        self.bins = {unit: {int(p): n for p, n in own.items()} for unit, own in state["bins"].items()}
