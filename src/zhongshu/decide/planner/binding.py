"""Why an order ends when it ends: the chain of what bound each task's start, from the order's last task back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from zhongshu.decide.planner.hours import fit, worked
from zhongshu.decide.planner.words import both, hour, order_name, pool_name, unit_name
from zhongshu.decide.planning.build import Built
from zhongshu.decide.scheduling.check.schedule import Block, shown
from zhongshu.decide.scheduling.problem import AT_HAND
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.kernel.clock import NS
from zhongshu.model.plant import Plant

#: Links told to people at most.
LINKS_MAX = 24
#: Of two things that are over at the same tick the later one here is told: people can do most about it.
RANK = ("release", "before", "arrival", "vehicle", "blocked", "setup", "unit")


class Bound(NamedTuple):
    """Until ``tick`` a task could not begin; ``other`` is the task because of which (None: none), ``values`` are words';
    ``own``: from when on its own material could have been there."""

    tick: int
    kind: str
    other: int | None = None
    values: dict[str, Any] = {}  # noqa: RUF012 (never written to)
    own: int = 0


def chain_of(plant: Plant, built: Built, solution: Solution, job: int) -> list[dict[str, Any]]:
    """From the earliest cause to the order's end: {task, unit, kind, text, start_ns, end_ns, wait_s}; read from the schedule
    alone. ``wait_s``: so long the task could have begun before, as far as its own material goes."""
    view = _View(plant, built, solution)
    tasks = built.problem.tasks_of[job]
    if not tasks:
        return []
    task: int | None = max(tasks, key=lambda t: view.of.end[t])
    links: list[dict[str, Any]] = []
    seen: set[int] = set()
    while task is not None and task not in seen and len(links) < LINKS_MAX:
        seen.add(task)
        bound = view.binding(task)
        if bound is not None:
            links.append(view.link(task, bound))
        task = bound.other if bound is not None else None
    return links[::-1]


def gravest(chain: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The link that its task waited for longest beyond its own material; None where nothing but the work itself took time."""
    waits = [link for link in chain if link["wait_s"] > 0]
    return max(waits, key=lambda link: link["wait_s"]) if waits else None


class _View:
    def __init__(self, plant: Plant, built: Built, solution: Solution) -> None:
        self.plant, self.built, self.problem = plant, built, built.problem
        self.of, self.moved = shown(built.problem, solution), solution.moved
        self.block: dict[int, Block] = {t: b for b in self.of.blocks for t in b.members}
        self.before: dict[int, Block] = {}
        for blocks in self.of.sequences:
            for k, block in enumerate(blocks[1:]):
                self.before |= dict.fromkeys(block.members, blocks[k])
        self.setup = {t: needed for _, block, needed in self.of.setups for t in block.members}

    def binding(self, task: int) -> Bound | None:
        """What held the task up last; None for one that has begun, or begins at once."""
        pin, start = self.problem.pin_of.get(task), self.of.start[task]
        if pin is not None and pin.started:
            return None
        found = self._ready(task)
        for mate in self.block[task].members:
            theirs = max(self._of_material(mate), key=_rank) if mate != task else found
            if theirs.tick > found.tick:
                found = Bound(theirs.tick, "batch", mate, {"task": self._name(mate)})
        if pin is not None and pin.start is not None and start > found.tick:
            return Bound(start, "pin")
        if start > found.tick:
            return self._held(task, found)
        return None if found.kind == "release" and found.tick <= 0 else found

    def link(self, task: int, bound: Bound) -> dict[str, Any]:
        """What people are told of it."""
        origin, start = self.built.origin_ns, self.of.start[task]
        unit = self.built.units[self.of.unit[task]]
        words = {"unit": unit_name(self.plant, unit), "until": hour(self.plant, origin + start * NS)}
        own = max(b.own for b in self._of_material(task))
        return {
            "task": self.built.tasks[task].id,
            "unit": unit,
            "kind": bound.kind,
            "text": both(f"why.{bound.kind}", **(words | bound.values)),
            "start_ns": origin + start * NS,
            "end_ns": origin + self.of.end[task] * NS,
            "wait_s": start - own if bound.kind not in ("before", "arrival") else 0,
        }

    def _ready(self, task: int) -> Bound:
        """The last of what the task and its unit waited for; calendar, people and stock left aside."""
        return max([*self._of_material(task), *self._of_unit(task)], key=_rank)

    def _of_material(self, task: int) -> Iterator[Bound]:
        yield Bound(max(0, self.problem.jobs[self.problem.tasks[task].job].release), "release")
        for index in self.problem.arcs_into[task]:
            arc = self.problem.arcs[index]
            other = None if arc.before == AT_HAND else arc.before
            since = arc.ready if other is None else self.of.end[other]
            if arc.overlap is not None and other is not None:
                since = self.of.start[other]
            moved = self.moved.get(index)
            if moved is None or moved.vehicle < 0:
                name = self._name(other) if other is not None else both("why.lot")
                yield Bound(since + arc.lag_min, "before", other, {"task": name}, since + arc.lag_min)
                continue
            origin = arc.origin if other is None else self.of.unit[other]
            place = unit_name(self.plant, self.built.units[origin])
            direct = max(0, since) + moved.drop - moved.pickup
            if self._unit_free(task) < moved.drop and moved.drop > direct:
                vehicle = unit_name(self.plant, self.built.vehicles[moved.vehicle])
                yield Bound(moved.drop, "vehicle", other, {"place": place, "vehicle": vehicle}, direct)
            else:
                # A lot that was fetched later than it could be, because there was no room for it, was not waited for.
                yield Bound(direct, "arrival", other, {"place": place}, direct)

    def _unit_free(self, task: int) -> int:
        return max((b.tick for b in self._of_unit(task)), default=0)

    def _of_unit(self, task: int) -> Iterator[Bound]:
        unit, before, setup = self.of.unit[task], self.before.get(task), self.setup.get(task, 0)
        site = self.problem.units[unit]
        minutes = {"minutes": str(max(1, round(setup / 60)))}
        if before is None:
            if site.ready > 0 or setup > 0:
                tick = worked(site.closed, max(0, site.ready), setup)
                yield Bound(tick, "setup" if setup else "unit", None, minutes | {"other": both("why.lot")})
            return
        last = max(before.members, key=lambda t: (self.of.left[t], t))
        values = minutes | {"other": self._name(last)}
        yield Bound(before.end, "unit", last, values)
        if before.left > before.end:
            yield Bound(before.left, "blocked", last, values)
        if setup:
            yield Bound(worked(site.closed, before.left, setup), "setup", last, values)

    def _held(self, task: int, found: Bound) -> Bound:
        """Everything was there, and it did not begin: closed time, people, tools, power, stock, or on purpose."""
        start, unit = self.of.start[task], self.of.unit[task]
        like, mode = self.problem.tasks[task], self.of.mode[task]
        pause = all(self.problem.tasks[t].interruptible for t in self.block[task].members)
        duration = max(self.of.mode[t].duration for t in self.block[task].members)
        if fit(self.problem.units[unit].closed, found.tick, duration, interruptible=pause) >= start:
            return Bound(start, "calendar", found.other)
        used = [m for m, _ in like.consumes]
        arrived = any(tick == start for m in used for tick, _ in self.problem.materials[m].arrivals)
        made = any(
            self.of.end[t] == start and any(m in used for m, _ in other.produces)
            for t, other in enumerate(self.problem.tasks)
            if other.produces
        )
        if used and (arrived or made or not mode.demands):
            return Bound(start, "material", found.other)
        if mode.demands:
            names = [pool_name(self.plant, self.problem.pools[pool].name) for pool, _ in mode.demands]
            pools = {"zh": "、".join(n["zh"] for n in names), "en": ", ".join(n["en"] for n in names)}
            return Bound(start, "pool", found.other, {"pools": pools})
        waits = any(self.problem.arcs[k].lag_max is not None for k in self.problem.arcs_out[task])
        return Bound(start, "follow" if waits else "later", found.other)

    def _name(self, task: int) -> dict[str, str]:
        """An order and the operation in it, as people know them."""
        ref = self.built.tasks[task]
        order = self.built.orders[self.problem.tasks[task].job]
        return order_name(self.plant, order, self.built.lots[ref.lot].product, ref.step)


def _rank(bound: Bound) -> tuple[int, int]:
    return bound.tick, RANK.index(bound.kind)
