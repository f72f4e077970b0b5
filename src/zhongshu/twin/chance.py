"""Seeded draws: each unit has one stream a purpose, so that what one machine draws never shifts another's."""

from __future__ import annotations

import hashlib
import math
from statistics import NormalDist

import numpy as np

_NORMAL = NormalDist()
_TINY = 2.0**-54


class Stream:
    """Draws of one unit for one purpose. Its whole state is how many numbers were drawn.

    Every law is made from exactly one uniform number (inverse transform), therefore ``drawn`` restores a stream.
    """

    __slots__ = ("_generator", "_name", "_seed", "drawn")

    def __init__(self, seed: int, unit: str, purpose: str, drawn: int = 0) -> None:
        self._seed = seed
        self._name = f"{unit}/{purpose}"
        self._generator: np.random.Generator | None = None
        self.drawn = drawn

    def uniform(self) -> float:
        """Between 0 and 1, both excluded."""
        if self._generator is None:
            self._generator = _generator(self._seed, self._name, self.drawn)
        self.drawn += 1
        return float(self._generator.random()) + _TINY

    def happens(self, share: float) -> bool:
        """True with probability ``share``."""
        return self.uniform() < share

    def lognormal(self, mean: float, spread: float) -> float:
        """Lognormal with that mean and coefficient of variation."""
        z = _NORMAL.inv_cdf(self.uniform())
        variance = math.log1p(spread * spread)
        return mean * math.exp(z * math.sqrt(variance) - variance / 2)

    def gamma(self, mean: float, spread: float) -> float:
        """Gamma with that mean and coefficient of variation, by Wilson and Hilferty's cube of a normal."""
        z = _NORMAL.inv_cdf(self.uniform())
        if spread <= 0:
            return mean
        ninth = spread * spread / 9
        return mean * max(0.0, 1 - ninth + z * math.sqrt(ninth)) ** 3

    def weibull(self, mean: float, shape: float) -> float:
        """Weibull with that mean; shape 1 is the exponential law, above 1 means wearing out."""
        scale = mean / math.gamma(1 + 1 / shape)
        return scale * (-math.log1p(-min(self.uniform(), 1 - _TINY))) ** (1 / shape)

    def exponential(self, mean: float) -> float:
        """Exponential with that mean."""
        return self.weibull(mean, 1.0)

    def below(self, count: int) -> int:
        """A whole number from 0 to ``count`` − 1."""
        return min(count - 1, int(self.uniform() * count))


def number_of(text: str) -> int:
    """A stable 64-bit number of a name; Python's own hash differs from run to run."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _generator(seed: int, name: str, drawn: int) -> np.random.Generator:
    bits = np.random.PCG64(np.random.SeedSequence(entropy=seed, spawn_key=(number_of(name),)))
    if drawn:
        bits.advance(drawn)
    return np.random.Generator(bits)
