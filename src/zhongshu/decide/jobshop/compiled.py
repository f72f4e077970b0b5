"""Turns a kernel's Python into machine code, kept on disk; and the random numbers every kernel draws."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Indexes = NDArray[np.int32]
Words = NDArray[np.uint64]

P = ParamSpec("P")
R = TypeVar("R")


def compiled(kernel: Callable[P, R]) -> Callable[P, R]:
    """Machine code that lets other threads run meanwhile: workers are threads, and share memory for nothing.

    A kernel allocates nothing, so nothing in it is counted either: counting references to a handful of arrays at each
    call took four fifths of a round.
    """
    # Numba's annotations leave out the switch, its compiler does not.
    njit: Any = numba.njit
    made: Any = njit(cache=True, nogil=True, error_model="numpy", _nrt=False)(kernel)
    # Numba looks at the file of the kernel alone; what the kernel calls may have changed in another.
    made._cache._cache_file._source_stamp = sources()
    kept: Callable[P, R] = made
    return kept


@cache
def sources() -> str:
    """What all kernels of this folder say, as a digest: machine code made from anything else is made anew."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def seeded(seed: int) -> Words:
    """The state of one worker's random numbers (one word)."""
    mixed = (seed * 0x9E3779B97F4A7C15 + 0xD1B54A32D192ED03) & 0xFFFFFFFFFFFFFFFF
    return np.array([mixed or 1], dtype=np.uint64)


@compiled
def draw(rng: Words, below: int) -> int:
    """A number in [0, below): xorshift64* (Vigna 2016), below at most 2**31."""
    x = rng[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    rng[0] = x
    high = (x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(33)
    drawn: Any = np.int64((high * np.uint64(below)) >> np.uint64(31))
    return drawn
