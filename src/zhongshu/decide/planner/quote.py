"""When could a new order be done, without making any other later? Answered by planning it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from zhongshu.decide.planner.binding import chain_of
from zhongshu.decide.planner.desk import Desk, InForce
from zhongshu.decide.planner.refusal import Refusal
from zhongshu.decide.planner.words import both
from zhongshu.decide.planning.build import Built
from zhongshu.decide.scheduling.engine import Limits, solve
from zhongshu.decide.scheduling.repair import repair
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.work import Order
from zhongshu.kernel.clock import NS, monotonic_s

#: Wall time for improving a quote; with building and repair the answer stays below two seconds.
SEARCH_S = 0.6
NAME = "?quote"


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
    built = _with_order(now, product, quantity, int(ask.get("priority", 5)))
    job = built.orders.index(NAME)
    memory = Memory(built.problem)
    mended = repair(built.problem, memory)
    result = solve(built.problem, Limits(SEARCH_S, workers=1), start=mended.solution)
    if result.solution is None:
        raise Refusal("ask.no_way")
    end = max(result.solution.placed[t].end for t in built.problem.tasks_of[job])
    chain = chain_of(desk.plant, built, result.solution, job)
    reason = chain[-1]["text"] if chain else both("quote.free")
    return {
        "end_ns": built.origin_ns + end * NS,
        "reason": both("quote.bound", reason=reason) if chain else reason,
        "time_s": round(monotonic_s() - began_s, 3),
    }


def _with_order(now: InForce, product: str, quantity: int, priority: int) -> Built:
    """The problem with one order more. It is due at once, at the least price there is: it ends as early as it can without
    making dearer ones later."""
    situation = now.situation
    work = replace(situation.work, orders=dict(situation.work.orders))
    work.orders[NAME] = Order(
        NAME, product, quantity, situation.now_ns, situation.now_ns, priority, situation.now_ns
    )
    built = situation.problem(previous=now.document, work=work)
    job = built.orders.index(NAME)
    jobs = tuple(
        replace(j, weight=1) if k == job else replace(j, weight=j.weight * 100)
        for k, j in enumerate(built.problem.jobs)
    )
    return replace(built, problem=replace(built.problem, jobs=jobs, churn=None))
