"""A CP-SAT model in the making: the constraint modules put their variables, hints and prices in, the solver takes it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ortools.sat.python import cp_model

from zhongshu.decide.scheduling.cp.facts import Facts
from zhongshu.decide.scheduling.cp.incumbent import Incumbent
from zhongshu.decide.scheduling.cp.opentime import Spans
from zhongshu.decide.scheduling.problem import Closed, Problem

#: An affine CP-SAT expression, or a plain int where nothing is open any more.
Expr = Any
#: A CP-SAT literal, or a plain bool.
Literal = Any
Interval = cp_model.IntervalVar


@dataclass(frozen=True, slots=True)
class Piece:
    """One way a task can lie: on ``mode``, with its start in ``spans``, for ``length`` ticks from start to end (None:
    its batch decides), paused over the closed spans in ``over`` (as resumable closed time of the unit)."""

    mode: int
    spans: Spans
    length: int | None
    over: tuple[Closed, ...]
    literal: Literal


@dataclass(frozen=True, slots=True)
class Ride:
    """One move: variables, and by station the literals that it is fetched or brought there."""

    arc: int
    pickup: Expr
    drop: Expr
    from_at: dict[int, Literal]
    to_at: dict[int, Literal]
    carried: Literal


@dataclass
class Draft:
    """The model and what its variables mean.

    ``free``: tasks that are variables, ascending; all tasks of a whole problem, a few of a window. All others are
    constants out of ``guess``, which also hints every variable; without a guess there are no hints. Times of free tasks
    lie in [first, last] ticks.
    """

    problem: Problem
    facts: Facts
    free: Sequence[int]
    whole: bool
    first: int
    last: int
    guess: Incumbent | None
    arcs_budget: int = 400_000
    model: cp_model.CpModel = field(default_factory=cp_model.CpModel)
    start_of: dict[int, Expr] = field(default_factory=dict)
    end_of: dict[int, Expr] = field(default_factory=dict)
    left_of: dict[int, Expr] = field(default_factory=dict)
    #: Ticks from start to end, of tasks for which they are settled.
    length_of: dict[int, int] = field(default_factory=dict)
    uses: dict[int, dict[int, Literal]] = field(default_factory=dict)
    pieces: dict[int, list[Piece]] = field(default_factory=dict)
    rides: dict[int, Ride] = field(default_factory=dict)
    stations_of: dict[int, dict[int, Literal]] = field(default_factory=dict)
    #: unit -> (member, leader) -> literal; a leader below 0 is the fixed block -1 - leader of that unit.
    joins: dict[int, dict[tuple[int, int], Literal]] = field(default_factory=dict)
    #: (unit, leader) -> how its batch may lie, where members differ in length.
    batch_ways: dict[tuple[int, int], list[Piece]] = field(default_factory=dict)
    #: (move, next move) and (-1 - vehicle, its first move).
    follows: dict[tuple[int, int], Literal] = field(default_factory=dict)
    prices: list[tuple[int, Expr]] = field(default_factory=list)
    #: What the priced parts come to in the guess; times 1000 with an energy price.
    hinted_price: int = 0
    #: What the objective has beside its variables, in the same units.
    offset: int = 0
    thinned: bool = False
    functions: dict[Hashable, Expr] = field(default_factory=dict)
    _stay: dict[int, Expr] = field(default_factory=dict)
    _on: dict[tuple[int, int], Literal] = field(default_factory=dict)
    _hints: dict[int, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.is_free = frozenset(self.free)
        #: Money counts in thousandths as soon as energy is priced, everything else is whole.
        self.scale = 1000 if self.problem.weights.energy and self.problem.prices else 1

    def flag(self, hinted: bool | None = None) -> Literal:
        """A new literal."""
        made = self.model.new_bool_var("")
        if self.guess is not None and hinted is not None:
            self.model.add_hint(made, hinted)
            self._hints[made.index] = hinted
        return made

    def hinted_literal(self, literal: Literal) -> bool:
        """What the guess says of a literal."""
        return literal if isinstance(literal, bool) else self._hints.get(literal.index, False)

    def number(self, low: int, high: int, hinted: int | None = None) -> Expr:
        """A new integer in [low, high]."""
        made = self.model.new_int_var(low, max(low, high), "")
        if low > high:
            self.impossible()
        if self.guess is not None and hinted is not None:
            self.model.add_hint(made, hinted)
        return made

    def within(self, spans: Spans, hinted: int | None = None) -> Expr:
        """A new integer in one of the spans."""
        made = self.model.new_int_var_from_domain(domain(spans), "")
        if self.guess is not None and hinted is not None:
            self.model.add_hint(made, hinted)
        return made

    def impossible(self) -> None:
        """Nothing satisfies this model."""
        self.model.add_bool_or([])

    def require(self, relation: Any, condition: Literal = True) -> None:
        """Add a linear relation, to hold where the literal is true; nothing is added for one that is plainly false."""
        if condition is True:
            self.model.add(relation)
        elif condition is not False:
            self.model.add(relation).only_enforce_if(condition)

    def soonest(self, k: int) -> int:
        """A tick before which no schedule of this model fetches the lot of an arc."""
        arc = self.problem.arcs[k]
        if arc.before < 0:
            return max(0, arc.ready)
        return max(0, self.facts.earliest_end(arc.before))

    def on(self, task: int, unit: int) -> Literal:
        """The literal that a task runs on a unit; plain bools where that is settled."""
        known = self._on.get((task, unit))
        if known is None:
            known = self._on[task, unit] = self._make_on(task, unit)
        return known

    def _make_on(self, task: int, unit: int) -> Literal:
        if task not in self.is_free:
            return self.plan.unit[task] == unit
        modes = self.problem.tasks[task].modes
        here = [literal for m, literal in self.uses[task].items() if modes[m].unit == unit]
        if not here:
            return False
        if len(here) == len(self.uses[task]):
            return True
        if len(here) == 1:
            return here[0]
        made = self.flag(None if self.guess is None else self.guess.unit[task] == unit)
        self.model.add(sum(here) == made)
        return made

    @cached_property
    def latest(self) -> int:
        """No task ends later, free or not."""
        return self.last if self.whole else max((self.last, *(p.end for p in self.plan.placed)))

    @property
    def plan(self) -> Incumbent:
        """The solution round a window."""
        assert self.guess is not None
        return self.guess

    def start(self, task: int) -> Expr:
        """Start of a task, free or not."""
        return self.start_of[task] if task in self.start_of else self.plan.placed[task].start

    def end(self, task: int) -> Expr:
        """End of a task, free or not."""
        return self.end_of[task] if task in self.end_of else self.plan.placed[task].end

    def left(self, task: int) -> Expr:
        """When the lot of a task left its unit."""
        return self.left_of[task] if task in self.left_of else self.plan.placed[task].left

    def stay(self, task: int) -> Expr:
        """Ticks for which a free task keeps its unit, as a constant where that is settled."""
        if task not in self._stay:
            if self.left_of[task] is self.end_of[task] and task in self.length_of:
                self._stay[task] = self.length_of[task]
            else:
                placed = None if self.guess is None else self.guess.placed[task]
                hinted = None if placed is None else placed.left - placed.start
                self._stay[task] = self.apart(self.start_of[task], self.left_of[task], hinted)
        return self._stay[task]

    def apart(self, start: Expr, end: Expr, hinted: int | None) -> Expr:
        """``end`` - ``start`` as a number that intervals can take."""
        if isinstance(start, int) and isinstance(end, int):
            return end - start
        since = start if isinstance(start, int) else 0
        made = self.number(0, self.last + 1 - min(0, self.first, since), hinted)
        self.model.add(made == end - start)
        return made

    def interval(self, start: Expr, size: Expr, end: Expr, present: Literal = True) -> cp_model.IntervalVar:
        """An interval, optional unless ``present`` is plainly True."""
        if present is True:
            return self.model.new_interval_var(start, size, end, "")
        return self.model.new_optional_interval_var(start, size, end, present, "")

    def price(self, weight: int, expr: Expr, hinted: int | None) -> None:
        """Add ``weight`` x ``expr`` to the objective, in units of 1/scale."""
        if weight:
            self.prices.append((weight, expr))
            self.hinted_price += weight * (hinted or 0)


def domain(spans: Spans) -> cp_model.Domain:
    """The spans as a CP-SAT domain."""
    return cp_model.Domain.from_intervals([list(span) for span in spans])
