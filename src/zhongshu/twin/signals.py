"""All measurements of the plant as numpy columns: a lag towards what the unit does, disturbed, clamped and rounded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from zhongshu.kernel.clock import NS
from zhongshu.model.batch import Floats, Int64s
from zhongshu.twin.chance import number_of
from zhongshu.twin.profile import WORK, Profile

_HOUR_NS = 3600 * NS
_MASK16 = np.uint64(0xFFFF)
_UNSEEN = np.int64(-1)
#: Share of a sensor's noise that is left when the machine does not work.
QUIET = 0.3


class Signals:
    """``rows`` index these columns, not the plant's points; scan.py knows which is which.

    Noise is a hash of seed, signal and time, so a signal's values do not depend on which others are computed.
    """

    def __init__(self, profiles: Sequence[Profile], names: Sequence[str], units: Int64s, seed: int) -> None:
        count = len(profiles)

        def column(name: str) -> Floats:
            return np.array([getattr(p, name) for p in profiles], dtype=np.float64)

        self._targets: Floats = np.array([p.targets for p in profiles], dtype=np.float64).reshape(count, 4)
        self._tau, self._noise, self._wave = column("tau_s"), column("noise"), column("wave")
        self._drift, self._wear, self._step = column("drift"), column("wear"), column("resolution")
        self._low, self._high = column("low"), column("high")
        self._unit = units
        self._salt = np.array([number_of(f"{seed}/{name}") for name in names], dtype=np.uint64)
        turn = (self._salt % np.uint64(1 << 20)).astype(np.float64) / (1 << 20)
        self._turn = turn
        self._wave_s = 5.0 + 25.0 * np.mod(turn * 7.3, 1.0)
        self._y: Floats = self._targets[:, 0].copy()
        self._last_ns: Int64s = np.full(count, _UNSEEN, dtype=np.int64)
        #: Set-point that replaces the working target, NaN where there is none.
        self.setpoint: Floats = np.full(count, np.nan)
        #: Whether the set-point holds when idle, too (ovens are kept hot).
        self.hold: npt.NDArray[np.bool_] = np.zeros(count, dtype=np.bool_)
        #: Where the machine itself knows better (power and heat of one that rests): the target whatever it does, else NaN.
        self.forced: Floats = np.full(count, np.nan)
        #: A fault's own drift in engineering units an hour, and since when.
        self.fault_rate: Floats = np.zeros(count)
        self.fault_since: Int64s = np.zeros(count, dtype=np.int64)

    @property
    def span(self) -> Floats:
        """Range of each signal in engineering units."""
        return self._high - self._low

    def at(self, rows: Int64s, t_ns: int, doing: npt.NDArray[np.int8], wear: Floats) -> Floats:
        """Values of ``rows`` at plant time ``t_ns``; ``doing`` is the class and ``wear`` the wear (0…1) by unit."""
        unit = self._unit[rows]
        kind = doing[unit]
        target = self._targets[rows, kind]
        wanted = self.setpoint[rows]
        led = ~np.isnan(wanted) & ((kind == WORK) | (self.hold[rows] & (kind != 3)))
        forced = self.forced[rows]
        target = (
            np.where(np.isnan(forced), np.where(led, wanted, target), forced) + self._wear[rows] * wear[unit]
        )
        since = self._last_ns[rows]
        passed_s = np.where(since == _UNSEEN, 1e9, (t_ns - since) / NS)
        y = target + (self._y[rows] - target) * np.exp(-np.maximum(passed_s, 0.0) / self._tau[rows])
        self._y[rows], self._last_ns[rows] = y, t_ns
        return self._disturbed(rows, t_ns, y, kind)

    def _disturbed(self, rows: Int64s, t_ns: int, y: Floats, kind: npt.NDArray[np.int8]) -> Floats:
        turn, t_s = self._turn[rows], (t_ns % (1000 * _HOUR_NS)) / NS
        wave = np.sin(2 * np.pi * (t_s / self._wave_s[rows] + turn)) * self._wave[rows] * (kind == WORK)
        slow = np.sin(2 * np.pi * (t_s / 21_000 + turn)) * self._drift[rows]
        fault = self.fault_rate[rows] * (t_ns - self.fault_since[rows]) / _HOUR_NS
        calm = np.where(kind == WORK, 1.0, QUIET)
        value = y + wave + slow + fault + calm * self._noise[rows] * _normal(self._salt[rows], t_ns)
        step = self._step[rows]
        return np.rint(np.clip(value, self._low[rows], self._high[rows]) / step) * step

    def dump(self) -> list[float]:
        """The lagging part of every signal; where it stands need not be exact after a restart."""
        return [round(float(y), 6) for y in self._y]

    def restore(self, y: Sequence[float], t_ns: int) -> None:
        """Go on from there; refuses another count silently, for then the plant file has changed."""
        if len(y) == len(self._y):
            self._y = np.array(y, dtype=np.float64)
            self._last_ns[:] = t_ns


def _normal(salt: npt.NDArray[np.uint64], t_ns: int) -> Floats:
    """About normal, mean 0 and deviation 1: the sum of the four quarters of a 64-bit hash (splitmix64)."""
    with np.errstate(over="ignore"):
        z = salt + np.uint64((t_ns // 1000) * 0x9E3779B97F4A7C15 % (1 << 64))
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    total = (
        (z & _MASK16)
        + ((z >> np.uint64(16)) & _MASK16)
        + ((z >> np.uint64(32)) & _MASK16)
        + (z >> np.uint64(48))
    )
    return (total.astype(np.float64) / 65536 - 2.0) / np.sqrt(4 / 12)
