"""The plant's products by their number on the wire: which step comes next, what an assembly takes, how long set-ups last."""

from __future__ import annotations

import math
from dataclasses import dataclass

from zhongshu.model.plant import Plant, Product, Step, UnitType


@dataclass(frozen=True, slots=True)
class Need:
    """``each`` pieces of the product code ``product`` for one piece of the assembly."""

    product: int
    each: float

    def pieces(self, count: int) -> int:
        """Whole pieces for ``count`` assemblies."""
        return math.ceil(self.each * count - 1e-9)


class Recipes:
    """Look-ups made once from the expanded plant."""

    def __init__(self, plant: Plant) -> None:
        self._products = {p.code: p for p in plant.products}
        by_id = {p.id: p for p in plant.products}
        # A component without a routing is bought: it is always at hand and nobody counts it.
        self._needs = {
            (p.code, c.operation): [
                Need(by_id[d.product].code, d.quantity)
                for d in p.components
                if d.operation == c.operation and by_id[d.product].routing
            ]
            for p in plant.products
            for c in p.components
        }

    def product(self, code: int) -> Product | None:
        """The product with that number."""
        return self._products.get(code)

    def step(self, code: int, done: int) -> Step | None:
        """The step that comes after ``done`` finished ones, None when the routing is finished."""
        routing = self._products[code].routing
        return routing[done] if done < len(routing) else None

    def routing(self, code: int) -> tuple[Step, ...]:
        """All steps of a product, in order."""
        return self._products[code].routing

    def finished(self, code: int, done: int) -> bool:
        """Whether a lot with so many finished steps went through its whole routing."""
        return done >= len(self._products[code].routing)

    def is_part(self, code: int, done: int) -> bool:
        """Whether such a lot is a finished part that only waits to be built in."""
        return self.finished(code, done) and not self._products[code].sellable

    def needs(self, code: int, operation: int) -> list[Need]:
        """Made components that enter at this operation."""
        return self._needs.get((code, operation), [])


def setup_s(kind: UnitType, capability: str, old: str, family: str) -> float:
    """Nominal set-up in plant seconds from family ``old`` ("" on a machine that never worked) to ``family``."""
    return kind.setup_s(capability, old, family)
