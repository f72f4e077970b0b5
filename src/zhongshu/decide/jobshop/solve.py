"""A plain problem in, its solution out: the specialised engine's front door, for as long as it is given."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence

from zhongshu.decide.jobshop.allowance import UntilRounds, UntilTime
from zhongshu.decide.jobshop.bounds import lower_bound
from zhongshu.decide.jobshop.dispatch import schedules
from zhongshu.decide.jobshop.elites import Elites
from zhongshu.decide.jobshop.search import Worker
from zhongshu.decide.jobshop.shop import Found, Shop, shop_of, solution_of
from zhongshu.decide.jobshop.turn import Turn, turn_of
from zhongshu.decide.scheduling.problem import Arc, Job, Mode, Problem, Task, Unit
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.kernel.clock import monotonic_s

OnBetter = Callable[[Solution, float], None]
#: Elites in the pool.
POOL = 10
#: Of the limit, at most this share goes into first schedules.
FIRST_SHARE = 0.15


def solve_jobshop(
    problem: Problem,
    *,
    seconds: float,
    workers: int,
    seed: int,
    work_limit: int | None = None,
    on_better: OnBetter | None = None,
) -> Solution:
    """The shortest schedule met within ``seconds``, or within ``work_limit`` rounds of each worker.

    ``problem.plain`` must hold (ValueError otherwise). With a work limit the clock has no say, and the answer depends
    on problem, seed, workers and limit alone. ``on_better`` is called in the caller's thread with every better schedule
    and the seconds since the call. At least one schedule is made whatever the limit.
    """
    began_s = monotonic_s()
    if not problem.plain:
        raise ValueError("the job-shop engine takes plain problems only")
    shop = shop_of(problem)
    if shop.tasks == 0:
        return Solution(())
    timed = work_limit is None
    starts = _starts(shop, seed, began_s + FIRST_SHARE * seconds if timed else None)
    best = _Best(shop, starts[0], on_better, began_s)
    bound = lower_bound(shop)
    if starts[0].makespan > bound:
        turn = turn_of(problem, began_s, seconds, workers, seed) if timed else None
        crew = _Crew(shop, bound, seed, max(1, workers), turn)
        crew.run(starts, began_s + seconds, work_limit, best)
    return best.solution


def bound_of(problem: Problem) -> int:
    """No schedule of a plain problem is shorter than this."""
    return lower_bound(shop_of(problem))


def first_schedule(problem: Problem, seed: int) -> Solution:
    """The best of the 42 dispatch schedules: what the search begins with."""
    shop = shop_of(problem)
    return solution_of(shop, _starts(shop, seed, None)[0]) if shop.tasks else Solution(())


def warm() -> None:
    """Compile every kernel, or load it from the cache."""
    for modes in ((Mode(0, 2),), (Mode(0, 2), Mode(1, 3))):
        tasks = tuple(Task(k % 3, modes if k < 3 else (Mode(1, 1 + k % 2),)) for k in range(6))
        arcs = tuple(Arc(k, k + 3) for k in range(3))
        tiny = Problem((Unit("a"), Unit("b")), (Job(), Job(), Job()), tasks, arcs)
        shop = shop_of(tiny)
        found = next(iter(schedules(shop, 1)))
        lower_bound(shop)
        Worker(shop, 0, 1, Elites(2)).search([found], UntilRounds(200, threading.Event()), lambda _: None)


def _starts(shop: Shop, seed: int, until_s: float | None) -> list[Found]:
    """Dispatch schedules, the best first: all 42, or as many as there is time for, at least one."""
    found = []
    for one in schedules(shop, seed):
        found.append(one)
        if until_s is not None and monotonic_s() > until_s:
            break
    return sorted(found, key=lambda one: one.makespan)


class _Best:
    """The incumbent, in the caller's thread."""

    def __init__(self, shop: Shop, first: Found, on_better: OnBetter | None, began_s: float) -> None:
        self._shop, self._tell, self._began_s = shop, on_better, began_s
        self._worker = -1
        self.makespan = first.makespan
        self._take(first)

    def see(self, worker: int, found: Found) -> None:
        """Take what is better; among equals the lower worker's, so that their race decides nothing."""
        if found.makespan < self.makespan:
            self._take(found)
            self._worker = worker
        elif found.makespan == self.makespan and worker < self._worker:
            self.solution = solution_of(self._shop, found)
            self._worker = worker

    def offer(self, solution: Solution) -> None:
        """Take a schedule that is no worker's, if it is better."""
        makespan = max(placed.end for placed in solution.placed)
        if makespan < self.makespan:
            self._keep(solution, makespan)

    def _take(self, found: Found) -> None:
        self._keep(solution_of(self._shop, found), found.makespan)

    def _keep(self, solution: Solution, makespan: int) -> None:
        self.solution, self.makespan = solution, makespan
        if self._tell is not None:
            self._tell(self.solution, monotonic_s() - self._began_s)


class _Crew:
    """The workers: threads, since kernels hold no lock; they share their elites unless the result must be repeatable."""

    def __init__(self, shop: Shop, bound: int, seed: int, workers: int, turn: Turn | None) -> None:
        self._shop, self._bound, self._seed, self._workers = shop, bound, seed, workers
        self._turn, self._aside = turn, threading.Event()
        self._stop = threading.Event()
        self._news: queue.SimpleQueue[tuple[int, Found | Solution | BaseException | None]] = (
            queue.SimpleQueue()
        )

    def run(self, starts: Sequence[Found], until_s: float, work_limit: int | None, best: _Best) -> None:
        """Let them all search; whatever one of them raises is raised here."""
        shared = Elites(POOL)
        crew = [
            threading.Thread(
                target=self._work,
                args=(
                    k,
                    starts[k :: self._workers],
                    until_s,
                    work_limit,
                    shared if work_limit is None else Elites(POOL),
                ),
                name=f"jobshop-{k}",
                daemon=True,
            )
            for k in range(self._workers)
        ]
        if self._turn is not None:
            crew.append(threading.Thread(target=self._prove, args=(self._turn, best), daemon=True))
        for one in crew:
            one.start()
        try:
            self._listen(best, stop_at_bound=work_limit is None)
        finally:
            self._stop.set()
            for one in crew:
                one.join()

    def _gives_way(self, index: int) -> bool:
        return self._turn is not None and index >= self._workers - self._turn.workers

    def _listen(self, best: _Best, stop_at_bound: bool) -> None:
        busy = self._workers
        while busy:
            worker, news = self._news.get()
            if isinstance(news, BaseException):
                raise news
            if news is None:
                busy -= 1
                # A worker that ends by itself has used up its time, or proved that nothing is shorter.
                if stop_at_bound:
                    self._stop.set()
            elif isinstance(news, Solution):
                best.offer(news)
            else:
                best.see(worker, news)

    def _prove(self, turn: Turn, best: _Best) -> None:
        """Instead of the last workers, which stand aside meanwhile."""
        turn.run(
            hint=lambda: best.solution,
            better=lambda solution: self._news.put((self._workers, solution)),
            aside=self._aside,
            over=self._stop,
        )

    def _work(
        self, index: int, starts: Sequence[Found], until_s: float, work_limit: int | None, elites: Elites
    ) -> None:
        known: list[int] = []

        def report(found: Found) -> None:
            if not known or found.makespan < known[-1]:
                known.append(found.makespan)
                self._news.put((index, found))

        try:
            worker = Worker(self._shop, self._bound, self._seed + 7919 * index, elites)
            limit = (
                UntilTime(until_s, self._stop, self._aside if self._gives_way(index) else None)
                if work_limit is None
                else UntilRounds(work_limit, self._stop)
            )
            worker.search(starts[: max(1, POOL // self._workers)], limit, report)
        except BaseException as problem:  # noqa: BLE001 - handed to the caller's thread and raised there
            self._news.put((index, problem))
        else:
            self._news.put((index, None))
