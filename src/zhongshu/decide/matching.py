"""Which vehicle fetches which lot so that all together drive least: the assignment problem (Kuhn 1955, Munkres 1957)."""

from __future__ import annotations

import math
from collections.abc import Sequence


def match(costs: Sequence[Sequence[float]]) -> list[int]:
    """For each row the column it gets, at least total cost; rows may not be more than columns.

    By shortest augmenting paths (Jonker & Volgenant 1987), O(rows² × columns). A cost that is infinite stands for a pair that
    is not possible; a row that has no other gets it all the same, so look at the cost.
    """
    rows, columns = len(costs), len(costs[0]) if costs else 0
    if rows > columns:
        raise ValueError(f"{rows} rows for {columns} columns")
    finite = [c for row in costs for c in row if c < math.inf]
    never = 1.0 + 2.0 * rows * max(finite, default=0.0)  # worse than any assignment without it
    price, own = [0.0] * (columns + 1), [-1] * (columns + 1)  # the last column is where a path begins
    paid = [0.0] * rows
    for row in range(rows):
        own[columns] = row
        _augment(costs, never, paid, price, own)
    found = [-1] * rows
    for j in range(columns):
        if own[j] >= 0:
            found[own[j]] = j
    return found


def _augment(
    costs: Sequence[Sequence[float]], never: float, paid: list[float], price: list[float], own: list[int]
) -> None:
    """The row that owns the last column gets one of its own, over a cheapest path of columns that change hands."""
    columns = len(own) - 1
    at = columns
    least, before, done = [math.inf] * columns, [columns] * columns, [False] * (columns + 1)
    while own[at] >= 0:
        done[at], now, step, onward = True, own[at], math.inf, -1
        for j in (j for j in range(columns) if not done[j]):
            reduced = min(costs[now][j], never) - paid[now] - price[j]
            if reduced < least[j]:
                least[j], before[j] = reduced, at
            if least[j] < step:
                step, onward = least[j], j
        for j in range(columns + 1):
            if done[j]:
                paid[own[j]] += step
                price[j] -= step
            elif j < columns:
                least[j] -= step
        at = onward
    while at != columns:
        own[at], at = own[before[at]], before[at]
