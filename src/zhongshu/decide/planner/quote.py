"""When could a new order be done, without making any other later? Answered by planning it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from zhongshu.decide.planner import course
from zhongshu.decide.planner.binding import chain_of, gravest
from zhongshu.decide.planner.desk import Desk, InForce
from zhongshu.decide.planner.improve import improve
from zhongshu.decide.planner.insertion import Insertion
from zhongshu.decide.planner.refusal import Refusal
from zhongshu.decide.planner.words import ASKED, both
from zhongshu.decide.planning.build import Built
from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.objective import kpis
from zhongshu.decide.scheduling.problem import Problem, Weights
from zhongshu.decide.scheduling.repair import repair
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.search.read import solution_of
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.decide.work import Order
from zhongshu.kernel.clock import NS, monotonic_s

#: Wall time for trying places, and for all up to the polish; the answer stays below two seconds.
SEARCH_S, TOTAL_S = 0.5, 1.2
NAME = ASKED
#: The price of a tick that another order ends later than planned: no gain of the new one makes up for it.
FORBIDDEN = 10**6


def quote(desk: Desk, ask: Mapping[str, Any]) -> dict[str, Any]:
    """{product, quantity, priority?} → when it could be done, and what binds it."""
    began_s, now = monotonic_s(), desk.now
    product, quantity = ask["product"], ask["quantity"]
    if product not in desk.plant.product_of or not desk.plant.product_of[product].sellable:
        raise Refusal("ask.no_product", product=product)
    if not isinstance(quantity, int) or isinstance(quantity, bool) or not 1 <= quantity <= 100_000:
        raise Refusal("ask.quantity")
    if now is None:
        raise Refusal("ask.no_plan")
    built, solution = quoted(now, product, quantity, int(ask.get("priority", 5)))
    job = built.orders.index(NAME)
    end = kpis(built.problem, solution).job_ends[job]
    link = gravest(chain_of(desk.plant, built, solution, job))
    reason = both("quote.bound", reason=link["text"]) if link is not None else both("quote.free")
    return {
        "end_ns": built.origin_ns + end * NS,
        "reason": reason,
        "time_s": round(monotonic_s() - began_s, 3),
    }


def quoted(now: InForce, product: str, quantity: int, priority: int) -> tuple[Built, Solution]:
    """The problem with the order in it, and a plan in which no other order ends later than it does in the plan in force."""
    began_s, built = monotonic_s(), _with_order(now, product, quantity, priority)
    problem, job = built.problem, built.orders.index(NAME)
    memory = Memory(problem)
    done = repair(problem, memory, course.read(now.document, built), exact=True)
    if done.solution is None:
        raise Refusal("ask.no_way")
    seeking = Insertion(problem, memory, done.genes, problem.tasks_of[job])
    last = seeking.last()
    if last is None:
        raise Refusal("ask.no_way")
    starts = memory.block(at.START).copy()
    problem = _as_carried_on(problem, memory, job)
    best = seeking.best(starts, SEARCH_S, [last])
    assert best is not None  # at least the last place
    memory.genes[:], memory.state[:] = best.genes, best.state
    found = [solution_of(memory)]
    polished = improve(problem, memory, [best.genes], max(0.1, TOTAL_S - (monotonic_s() - began_s)))
    if polished is not None:
        found.append(polished.solution)
    for solution in sorted(found, key=lambda made: kpis(problem, made).objective):
        if not _later(problem, solution, job) and not violations(problem, solution):
            return replace(built, problem=problem), solution
    memory.genes[:], memory.state[:] = last.genes, last.state
    return replace(built, problem=problem), solution_of(memory)


def _later(problem: Problem, solution: Solution, job: int) -> bool:
    """Another order ends later than it may."""
    ends = kpis(problem, solution).job_ends
    return any(end > j.due for k, (end, j) in enumerate(zip(ends, problem.jobs, strict=True)) if k != job)


def _as_carried_on(problem: Problem, memory: Memory, job: int) -> Problem:
    """Orders that can't be done any more when the plan says are due when the plan, carried on without the new one, ends
    them. The memory holds that plan."""
    ends, due = memory.block(at.JOB_END), memory.block(at.DUE)
    others = np.arange(len(due)) != job
    due[others] = np.maximum(due[others], ends[others])
    jobs = (replace(j, due=int(due[k])) if k != job else j for k, j in enumerate(problem.jobs))
    return replace(problem, jobs=tuple(jobs))


def _with_order(now: InForce, product: str, quantity: int, priority: int) -> Built:
    """The problem with one order more. Every other order is due when the plan ends it; the new one at once."""
    situation = now.situation
    work = replace(situation.work, orders=dict(situation.work.orders))
    work.orders[NAME] = Order(
        NAME, product, quantity, situation.now_ns, situation.now_ns, priority, situation.now_ns
    )
    built = situation.problem(previous=now.document, work=work)
    ends = dict(zip(now.built.orders, kpis(now.built.problem, now.solution).job_ends, strict=True))
    jobs = tuple(
        replace(job, due=0, weight=1)
        if order == NAME
        else replace(job, due=max(job.release, ends.get(order, 0)), weight=FORBIDDEN)
        for order, job in zip(built.orders, built.problem.jobs, strict=True)
    )
    alone = Weights(tardiness=1, makespan=0)
    return replace(built, problem=replace(built.problem, jobs=jobs, churn=None, weights=alone))
