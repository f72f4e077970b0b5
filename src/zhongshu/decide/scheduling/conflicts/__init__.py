"""Which constraints clash: an unsolvable problem and a solver in, a smallest set of constraints out, for people to choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zhongshu.decide.scheduling.check.words import both
from zhongshu.decide.scheduling.conflicts.fault import Fault, conflict
from zhongshu.decide.scheduling.conflicts.relaxations import Relaxation, relaxations, without
from zhongshu.decide.scheduling.conflicts.smallest import OutOfQuestions, smallest_conflict
from zhongshu.decide.scheduling.problem import Problem

__all__ = ["QUESTIONS", "explain"]

#: So often the solver is asked at most; the clash found by then is told, smallest or not.
QUESTIONS = 200
SHOWN = 8


def explain(
    problem: Problem, solvable: Callable[[Problem], bool], questions: int = QUESTIONS
) -> tuple[Fault, ...]:
    """Constraints that cannot hold together, though any of them could be kept if another gave way.

    ``solvable`` says False only of what it has proved unsolvable; in doubt it says True. First whole kinds of constraint are
    let go, one after the other, then single ones among the kinds that matter. Empty when the problem is solvable after all.
    """
    if solvable(problem):
        return ()
    every = relaxations(problem)
    if not every or not solvable(without(problem, every)):
        return (conflict(("unit", "lag_min"), "bare"),)
    kinds = list(dict.fromkeys(r.constraint for r in every))
    needed = _needed_kinds(problem, every, kinds, solvable)
    spare = tuple(r for r in every if r.constraint not in needed)
    mattering = [r for r in every if r.constraint in needed]
    relaxed = without(problem, spare)

    def consistent(kept: Sequence[Relaxation]) -> bool:
        keeps = set(map(id, kept))
        return solvable(without(relaxed, (r for r in mattering if id(r) not in keeps)))

    try:
        found = smallest_conflict(mattering, consistent, questions)
    except OutOfQuestions:
        return (_told_kinds(needed),)
    return (_told(found),)


def _needed_kinds(
    problem: Problem,
    every: Sequence[Relaxation],
    kinds: Sequence[str],
    solvable: Callable[[Problem], bool],
) -> list[str]:
    """Deletion filter: what can go while the problem stays unsolvable has nothing to do with the clash."""
    needed = list(kinds)
    for kind in kinds:
        rest = [other for other in needed if other != kind]
        if not solvable(without(problem, (r for r in every if r.constraint not in rest))):
            needed = rest
    return needed


def _told(found: Sequence[Relaxation]) -> Fault:
    kinds = tuple(dict.fromkeys(r.constraint for r in found))
    more = ["…"] if len(found) > SHOWN else []
    english = ", ".join([r.words[0] for r in found[:SHOWN]] + more)
    chinese = "、".join([r.words[1] for r in found[:SHOWN]] + more)
    key = "together" if len(found) > 1 else "alone"
    return conflict(kinds, key, what=(english, chinese))


def _told_kinds(kinds: Sequence[str]) -> Fault:
    words = [both(f"kind.{kind.replace('_', '-')}") for kind in kinds]
    what = (", ".join(w[0] for w in words), "、".join(w[1] for w in words))
    return conflict(tuple(kinds), "together", what=what)
