"""Types, capabilities and set-up families of the plant → modes and families of tasks, set-up matrices of units; read by build."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

from zhongshu.decide.planning.build_floor import Floor, capacity
from zhongshu.decide.scheduling.problem import Mode, Task
from zhongshu.model.plant import Capability, Plant, Product, Step

Matrix = tuple[tuple[int, ...], ...]
#: Name of the pool of electric power.
POWER = "power"


@dataclass(slots=True)
class Modes:
    """Remembers what is alike: lots of one size of one product have the same ways to be worked."""

    floor: Floor
    pools: dict[str, int]
    materials: dict[str, int]
    capable: dict[str, list[int]] = field(default_factory=dict)
    families: dict[str, dict[str, int]] = field(default_factory=dict)
    made: dict[tuple[str, int, int, int | None], Task] = field(default_factory=dict)

    def able(self, capability: str) -> list[int]:
        """Machines that can do it and may be commanded; where none may, all that can (they come back)."""
        if capability not in self.capable:
            can = [
                i for i in range(len(self.floor.machines)) if self.floor.kind(i).can(capability) is not None
            ]
            free = [i for i in can if self.floor.work.commandable(self.floor.machines[i].id)]
            self.capable[capability] = free or can
        return self.capable[capability]

    def task(
        self, product: Product, position: int, pieces: int, job: int, unit: int | None, name: str
    ) -> Task:
        """One operation of a lot of so many pieces, on any machine that can, or on ``unit`` alone."""
        key = (product.id, position, pieces, unit)
        if key not in self.made:
            self.made[key] = self._like(product, product.routing[position], position, pieces, unit)
        like = self.made[key]
        return Task(
            job,
            like.modes,
            like.family,
            like.size,
            like.interruptible,
            like.consumes,
            name=name,
        )

    def _like(self, product: Product, step: Step, position: int, pieces: int, unit: int | None) -> Task:
        units = self.able(step.capability) if unit is None else [unit]
        modes = tuple(self._mode(step, pieces, i) for i in units)
        kinds = [self.floor.kind(i) for i in units]
        able = [k.can(step.capability) for k in kinds]
        in_pieces = any(k.batch_pieces for k in kinds)
        largest = max((capacity(k) for k in kinds), default=0)
        return Task(
            job=0,
            modes=modes,
            family=self.family(step.capability, product.family_at(step)),
            size=min(pieces, largest) if in_pieces else 1,
            interruptible=all(c is not None and c.interruptible for c in able),
            consumes=tuple(
                (self.materials[s.material], round(1000 * s.quantity * pieces))
                for s in product.materials
                if s.operation == step.operation and s.material in self.materials
            ),
        )

    def _mode(self, step: Step, pieces: int, unit: int) -> Mode:
        kind, machine = self.floor.kind(unit), self.floor.machines[unit]
        able = kind.can(step.capability) or Capability(step.capability, step.operation, 1.0, 0.0)
        seconds = work_s(able, step, pieces) / machine.speed
        needs = {**able.needs}
        for pool, amount in step.needs.items():
            needs[pool] = needs.get(pool, 0) + amount
        demands = [(self.pools[p], n) for p, n in needs.items() if n and p in self.pools]
        power = round(able.power_kw)
        if power and POWER in self.pools:
            demands.append((self.pools[POWER], power))
        return Mode(unit, max(1, math.ceil(seconds - 1e-9)), tuple(sorted(demands)), power)

    def family(self, capability: str, name: str) -> int:
        """Index of a set-up family among those of the capability; where types share capabilities, of all of them."""
        known = self.families[capability]
        return known.setdefault(name, len(known))


def work_s(able: Capability, step: Step, pieces: int) -> float:
    """Nominal time of a lot on a unit of speed 1: a load of an oven, or piece by piece."""
    if able.load_s is not None:
        return able.load_s
    return (step.cycle_s or able.cycle_s) * pieces


def families_of(plant: Plant) -> dict[str, dict[str, int]]:
    """Families by capability; capabilities that a type has together share one numbering, so that a unit has one matrix."""
    group: dict[str, dict[str, int]] = {}
    for kind in plant.types:
        names = [c.name for c in kind.capabilities]
        there = [group[name] for name in names if name in group]
        shared = there[0] if there else {}
        # What earlier types had joined to any of these is joined to all of them now.
        names += [name for name, one in group.items() if any(one is other for other in there)]
        group |= dict.fromkeys(names, shared)
    for product in plant.products:
        for step in product.routing:
            known = group.setdefault(step.capability, {})
            known.setdefault(product.family_at(step), len(known))
    return group


def matrices(floor: Floor, families: dict[str, dict[str, int]]) -> tuple[tuple[Matrix, ...], list[int]]:
    """Different set-up matrices, all of one size, and the index of each machine's, -1 where nothing takes time."""
    plant = floor.plant
    size = max((len(f) for f in families.values()), default=0)
    found: dict[Matrix, int] = {}
    of_type: dict[str, int] = {}
    for kind in plant.types:
        rows = [[0] * size for _ in range(size)]
        used: defaultdict[tuple[int, int], float] = defaultdict(float)
        for able in kind.capabilities:
            for a, i in families[able.name].items():
                for b, k in families[able.name].items():
                    used[i, k] = max(used[i, k], kind.setup_s(able.name, a, b))
        for (i, k), seconds in used.items():
            rows[i][k] = math.ceil(seconds)
        matrix = tuple(map(tuple, rows))
        of_type[kind.id] = found.setdefault(matrix, len(found)) if any(map(any, rows)) else -1
    return tuple(found), [of_type[u.type] for u in floor.machines]
