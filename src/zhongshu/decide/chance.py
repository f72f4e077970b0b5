"""Random numbers inside kernels: one word of state a worker, so that a seed gives the same search anywhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from zhongshu.decide.compiled import kernel


def seeded(seed: int) -> Any:
    """The state of one worker's random numbers."""
    mixed = (seed * 0x9E3779B97F4A7C15 + 0xD1B54A32D192ED03) & 0xFFFFFFFFFFFFFFFF
    return np.array([mixed or 1], np.uint64)


@kernel
def draw(chance: Any, below: int) -> int:
    """A number in [0, below): xorshift64* (Vigna 2016); below is at most 2**31."""
    x = chance[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    chance[0] = x
    high = (x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(33)
    return np.int64((high * np.uint64(below)) >> np.uint64(31))  # type: ignore[return-value]


@kernel
def share(chance: Any) -> float:
    """A number in (0, 1]."""
    return (draw(chance, 1 << 30) + 1) / (1 << 30)
