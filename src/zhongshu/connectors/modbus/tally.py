"""From a unit's sample counter and scan time to one verdict a look: a new image, the old one, or how many were missed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

MS = 1_000_000


class Verdict(NamedTuple):
    """What one look at a unit's counter says; a gap lies between ``start_ns`` and ``end_ns`` (plant time, both included).

    ``missing`` is the exact count of samples that were made available and not read, -1 where a restart hides it.
    """

    fresh: bool
    restarted: bool = False
    missing: int = 0
    start_ns: int = 0
    end_ns: int = 0


@dataclass(slots=True)
class Tally:
    """The last image read of one unit whose image holds ``size`` samples; survives reconnects, so that gaps are counted."""

    size: int
    count: int = 0
    t_ns: int = 0

    def judge(self, count: int, t_ns: int) -> Verdict:
        """Compare the counter and scan time (ns of plant time, 0 without one) of a look with the last image; changes nothing."""
        if count <= 0 or (count == self.count and t_ns >= self.t_ns):
            return Verdict(fresh=False)  # no scan yet, or none since
        if not self.count:
            return Verdict(fresh=True)
        if (
            count < self.count or t_ns < self.t_ns
        ):  # a new epoch: how far the old one went on unseen, nobody knows
            return Verdict(True, True, -1, *self._between(t_ns))
        missing = max(0, count - self.count - self.size)
        return Verdict(True, False, missing, *self._between(t_ns)) if missing else Verdict(fresh=True)

    def keep(self, count: int, t_ns: int) -> None:
        """That image was handed on."""
        self.count, self.t_ns = count, t_ns

    def _between(self, t_ns: int) -> tuple[int, int]:
        start_ns = self.t_ns + 1
        return start_ns, max(start_ns, t_ns - 1)
