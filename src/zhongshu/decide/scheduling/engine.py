"""A problem in, ever better schedules out: rules at once, then compiled local search and CP-SAT on two workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING

from zhongshu.decide.jobshop.solve import bound_of, solve_jobshop
from zhongshu.decide.jobshop.solve import warm as warm_jobshop
from zhongshu.decide.scheduling.anneal import Annealer, Board
from zhongshu.decide.scheduling.bounds import lower_bound
from zhongshu.decide.scheduling.conflicts import explain
from zhongshu.decide.scheduling.incumbent import Incumbent, OnBetter
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.search.arrays import Ints
from zhongshu.decide.scheduling.search.decode import IMPOSSIBLE
from zhongshu.decide.scheduling.search.encode import genes_of
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.search.read import solution_of
from zhongshu.decide.scheduling.search.rules import Dispatched, manners, run_rule
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.decide.scheduling.validate import Fault, problems_of
from zhongshu.decide.scheduling.warm import warm_search
from zhongshu.kernel.clock import monotonic_s

if TYPE_CHECKING:
    from zhongshu.decide.scheduling.lns import Windows

#: Up to so many tasks CP-SAT is given the whole problem on one of the workers: it proves optima and gives bounds.
WHOLE_MAX = 120
#: Up to so many tasks the second worker plans windows anew with CP-SAT, as far as that pays.
WINDOWS_MAX = 1200
#: Of the time, at most this share goes into dispatching rules.
RULES_SHARE = 0.15
#: The lists that local search begins from.
STARTS = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """``seconds`` of wall time; or, with ``work_limit``, so many evaluations a worker whatever the clock says."""

    seconds: float
    workers: int = 2
    seed: int = 0
    work_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """``time_first_s`` and ``time_s`` count from the call, without ``compile_s``. ``faults`` say why there is no solution."""

    solution: Solution | None
    bound: float
    optimal: bool
    time_first_s: float | None
    time_s: float
    compile_s: float
    work: int
    engine: str
    objective: float = float("inf")
    faults: tuple[Fault, ...] = ()


def solve(
    problem: Problem, limits: Limits, on_better: OnBetter | None = None, start: Solution | None = None
) -> Result:
    """The best schedule found within the limits; every schedule told has passed the checker.

    ``start``: a plan to begin from beside the rules', such as the one in force.
    """
    faults = problems_of(problem)
    if faults:
        return Result(None, 0.0, False, None, 0.0, 0.0, 0, "none", faults=faults)
    began_s = monotonic_s()
    (warm_jobshop if problem.plain else warm_search)()
    compile_s = monotonic_s() - began_s
    search = _plain if problem.plain else _plant
    found, work, engine = search(problem, limits, on_better, start)
    faults = ()
    if found.solution is None:
        faults = explain(problem, lambda relaxed: _solvable(relaxed, limits))
    return Result(
        solution=found.solution,
        bound=found.bound,
        optimal=found.proved,
        time_first_s=found.first_s,
        time_s=monotonic_s() - began_s - compile_s,
        compile_s=compile_s,
        work=work,
        engine=engine,
        objective=found.objective,
        faults=faults,
    )


def _plain(
    problem: Problem, limits: Limits, on_better: OnBetter | None, start: Solution | None
) -> tuple[Incumbent, int, str]:
    """A bare job shop: the engine made for it."""
    found = Incumbent(problem, float(bound_of(problem) * problem.weights.makespan), on_better)
    if start is not None:
        found.offer(start, "start")
    best = solve_jobshop(
        problem,
        seconds=limits.seconds,
        workers=limits.workers,
        seed=limits.seed,
        work_limit=limits.work_limit,
        on_better=lambda solution, _: _offer(found, solution),
    )
    found.offer(best, "tabu")
    return found, limits.work_limit or 0, "job shop tabu search"


def _offer(found: Incumbent, solution: Solution) -> None:
    found.offer(solution, "tabu")


def _plant(
    problem: Problem, limits: Limits, on_better: OnBetter | None, start: Solution | None
) -> tuple[Incumbent, int, str]:
    """Everything else."""
    began_s = monotonic_s()
    found = Incumbent(problem, lower_bound(problem), on_better)
    if start is not None:
        found.offer(start, "start")
    memory = Memory(problem)
    starts = first_plans(memory, found, began_s, None if limits.work_limit else limits.seconds * RULES_SHARE)
    if start is not None:
        starts.insert(0, genes_of(memory, start))

    def progress(evaluated: int) -> float:
        if limits.work_limit is not None:
            return evaluated / max(1, limits.work_limit)
        return (monotonic_s() - began_s) / max(1e-3, limits.seconds)

    whole = len(problem.tasks) <= WHOLE_MAX and limits.work_limit is None
    others = max(1, limits.workers) - 1 if starts else 0
    windowed = limits.work_limit is None and len(problem.tasks) <= WINDOWS_MAX
    board = Board()
    crew = [
        Annealer(
            problem,
            limits.seed * 64 + k,
            f"search {k + 1}",
            found,
            memory if k == 0 else Memory(problem),
            board,
            _windows(problem, found, limits.seed * 64 + k) if windowed and k == 1 else None,
        )
        for k in range(max(1, limits.workers if not whole or limits.workers < 2 else limits.workers - 1))
    ]
    alone, stop = limits.work_limit is not None, Event()
    threads = [Thread(target=a.run, args=(starts, progress, alone, limits.seconds)) for a in crew[1:]]
    if whole or (not starts and limits.work_limit is None):
        threads.append(Thread(target=_whole, args=(problem, found, limits, began_s, max(1, others))))
    for thread in threads:
        thread.start()
    crew[0].run(starts, progress, alone, limits.seconds)
    stop.set()
    for thread in threads:
        thread.join()
    return (
        found,
        sum(a.evaluated for a in crew),
        "rules, local search" + (", CP-SAT" if whole or (windowed and len(crew) > 1) else ""),
    )


def first_plans(memory: Memory, found: Incumbent, began_s: float, seconds: float | None) -> list[Ints]:
    """Run the rules (at least one succeeds or all are tried); the best few lists to begin a search from, best first."""
    done: list[Dispatched] = []
    for manner in manners():
        if done and seconds is not None and monotonic_s() - began_s > seconds:
            break
        made = run_rule(memory, manner)
        if made.cost < IMPOSSIBLE:
            done.append(made)
            if made.cost / 1000 < found.objective:
                found.offer(solution_of(memory), made.manner.name)
    done.sort(key=lambda made: made.cost)
    return [made.genes for made in done[:STARTS]]


def _windows(problem: Problem, found: Incumbent, seed: int) -> Windows:
    """CP-SAT on windows. OR-tools takes a second to import, and is only wanted by problems of some sizes."""
    from zhongshu.decide.scheduling.lns import Windows

    return Windows(problem, found, seed)


def _whole(problem: Problem, found: Incumbent, limits: Limits, began_s: float, workers: int) -> None:
    """CP-SAT on the whole problem."""
    seconds = limits.seconds - (monotonic_s() - began_s)
    from zhongshu.decide.scheduling.cp.solve import solve_cp

    result = solve_cp(
        problem,
        seconds=max(0.05, seconds),
        workers=workers,
        seed=limits.seed,
        hint=found.solution,
        on_better=lambda solution, _: _tell(found, solution),
    )
    if result.solution is not None:
        found.offer(result.solution, "CP-SAT")
    found.raise_bound(result.objective if result.status == "optimal" and result.objective else result.bound)


def _tell(found: Incumbent, solution: Solution) -> None:
    found.offer(solution, "CP-SAT")


def _solvable(problem: Problem, limits: Limits) -> bool:
    """False only if proved: by CP-SAT within a short time."""
    if problems_of(problem):
        return False
    memory = Memory(problem)
    if any(run_rule(memory, manner).cost < IMPOSSIBLE for manner in list(manners())[:3]):
        return True
    from zhongshu.decide.scheduling.cp.solve import solve_cp

    return solve_cp(problem, seconds=2.0, workers=limits.workers, seed=limits.seed).status != "infeasible"


Progress = Callable[[int], float]
