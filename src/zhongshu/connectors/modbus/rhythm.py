"""From the times at which a unit's scans were seen to the time of the next look: early enough for all, often enough for each."""

from __future__ import annotations

#: How long after a look that came too early the next one follows, as a part of the period, by how late the scan is.
_AGAIN = ((0.5, 0.05), (2.0, 0.2), (float("inf"), 0.5))
#: By how much each scan moves the look earlier, as a part of the period: about one look in ten comes too early then.
_CREEP = 0.005
#: While the phase of the device's scans is unknown.
_HUNT = 0.1
_MARGIN_NS = 20_000_000


class Rhythm:
    """When to look at one unit. All times are wall time in ns.

    A scan of time ``s`` shows up at ``s + lag``: the time it takes the device to publish it, and the offset of a clock that
    is not ours. The lag is learnt: each fresh image moves the next look a little earlier, until a look comes too early and
    tells where the scan really appears. One look a scan is the rule then, and more than half a period is left for a look,
    or a scan, that is late.
    """

    def __init__(self, period_ns: int) -> None:
        self.period_ns = period_ns
        self._lag_ns = min(period_ns // 50, _MARGIN_NS)
        self._due_ns = 0
        self._early_ns: int | None = None
        self._hunting = False

    def fresh(self, scan_ns: int, now_ns: int, *, missed: bool = False) -> int:
        """A new image of scan time ``scan_ns`` was read, others perhaps ``missed`` before it; the time of the next look."""
        age_ns = now_ns - scan_ns
        # A look that came too early, and this one soon after it, have the moment of appearance between them.
        if self._early_ns is not None and now_ns - self._early_ns <= self.period_ns // 4:
            self._lag_ns = self._between(age_ns)
            self._hunting = False
        elif missed or not -self.period_ns // 10 < age_ns - self._lag_ns < 2 * self.period_ns:
            self._lag_ns = age_ns  # not when it was thought to appear: find the phase of the scans anew
            self._hunting = True
        else:
            self._lag_ns = min(self._lag_ns - round(self.period_ns * _CREEP), age_ns)
        self._early_ns = None
        if self._hunting:
            self._due_ns = now_ns + round(self.period_ns * _HUNT)
        else:
            self._due_ns = scan_ns + self.period_ns + self._lag_ns
        return max(self._due_ns, now_ns)

    def stale(self, now_ns: int) -> int:
        """The image is still the old one; the time of the next look."""
        self._early_ns = now_ns
        late = (now_ns - self._due_ns) / self.period_ns
        step = next(step for limit, step in _AGAIN if late < limit)
        return now_ns + round(self.period_ns * (max(step, _HUNT) if self._hunting else step))

    def _between(self, age_ns: int) -> int:
        """The lag by a scan that was seen to appear; one that is far from the usual moves it half-way only."""
        if self._hunting or abs(age_ns - self._lag_ns) < self.period_ns // 10:
            return age_ns
        return (self._lag_ns + age_ns) // 2
