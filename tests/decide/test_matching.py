"""The cheapest assignment, held against trying them all."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhongshu.decide.matching import match

COST = st.integers(0, 40).map(float) | st.just(math.inf)


@given(
    st.integers(1, 5).flatmap(
        lambda n: st.lists(st.lists(COST, min_size=5, max_size=5), min_size=n, max_size=n)
    )
)
def test_nothing_is_cheaper(costs: list[list[float]]) -> None:
    """As few impossible pairs as there can be, and of those the least total."""

    def worth(columns: tuple[int, ...] | list[int]) -> tuple[int, float]:
        chosen = [costs[row][column] for row, column in enumerate(columns)]
        return sum(c == math.inf for c in chosen), sum(c for c in chosen if c < math.inf)

    found = match(costs)
    assert len(set(found)) == len(costs)
    assert worth(found) == min(worth(p) for p in itertools.permutations(range(5), len(costs)))


def test_more_rows_than_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="2 rows"):
        match([[1.0], [2.0]])
    assert match([]) == []
