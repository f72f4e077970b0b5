"""One unit, looked at in the rhythm of its scans: each new image goes to the sink once, each missed one is counted."""

from __future__ import annotations

import numpy as np

from zhongshu.connectors.modbus.codec import place_of
from zhongshu.connectors.modbus.config import Settings, UnitAddress
from zhongshu.connectors.modbus.frames import Refused
from zhongshu.connectors.modbus.link import Link, LinkLost, Silent
from zhongshu.connectors.modbus.reading import Looks, Reading
from zhongshu.connectors.modbus.rhythm import Rhythm
from zhongshu.connectors.modbus.speech import Speech
from zhongshu.connectors.modbus.tally import MS, Tally
from zhongshu.kernel.clock import NS, Clock
from zhongshu.kernel.ports import Reads, Sink
from zhongshu.model.batch import BAD, GOOD, Floats
from zhongshu.model.plant import Unit
from zhongshu.model.roles import SAMPLE_COUNT, SCAN_TIME

ACKNOWLEDGE, BUSY = 5, 6
BACK_OFF_NS = (NS // 5, 3 * NS)
#: Registers that a device refused are tried again after so long: its program may have changed.
REFUSED_AGAIN_NS = 60 * NS


class UnitPoll:
    """Reads one unit for as long as a link stands; what it knows of the unit's scans outlives the link."""

    def __init__(
        self, unit: Unit, settings: Settings, clock: Clock, looks: Looks, say: Speech, stale_after_s: float
    ) -> None:
        self.unit = unit
        self.unit_id = UnitAddress.model_validate(dict(unit.address)).unit_id
        self.places = tuple(place_of(p, settings) for p in unit.points)
        self._settings, self._clock, self._looks, self._say = settings, clock, looks, say
        self._ids = np.array([p.id for p in unit.points], dtype=np.int32)
        self._ids.setflags(write=False)  # every Reads shares it
        self._count_row, self._scan_row = self._row(SAMPLE_COUNT), self._row(SCAN_TIME)
        self.reading = self._new_reading()
        self._period_ns = round(NS / max((p.rate_hz for p in unit.points), default=1.0))
        self._stalled_ns = self._period_ns + max(self._period_ns, round(stale_after_s * NS))
        self._rhythm, self._tally = Rhythm(self._period_ns), Tally(len(unit.points))
        self._up: bool | None = None  # None: nothing was told on this link yet
        self._failures = 0
        self._due_ns = self._seen_ns = self._again_ns = 0

    async def run(self, link: Link, sink: Sink) -> None:
        """Look, in the unit's rhythm, until the link is gone. Raises LinkLost."""
        self._up = False if self._up is False else None
        self._failures = self._due_ns = 0
        self._seen_ns = self._clock.wall_ns()
        self.reading.forget_refusals()
        while True:
            due_ns = await self.look(link, sink)
            await self._clock.sleep_wall(max(0, due_ns - self._clock.wall_ns()) / NS)

    async def look(self, link: Link, sink: Sink) -> int:
        """Read once and hand on what is new; the wall time in ns of the next look. Raises LinkLost."""
        self._retry_refused()
        try:
            values = await self.reading.values(
                link, self._tally.count, self._looks, suspect=self._failures > 0
            )
        except Silent:
            return self._failed(sink, self._say("unit.silent"), patience=1)
        except Refused as refused:
            if refused.code in (ACKNOWLEDGE, BUSY):
                return self._nothing_new(sink, proves_life=False)
            return self._failed(sink, self._say.exception(refused.code), patience=0)
        if not self.reading.plan.blocks:
            return self._failed(sink, self._say("unit.nothing_readable"), patience=0)
        self._failures = 0
        if values is None:
            return self._nothing_new(sink, proves_life=True)
        if self._count_row is None or np.isnan(values[self._count_row]):
            return self._sample(sink, values)
        return self._image(sink, values, int(values[self._count_row]))

    async def check(self, link: Link) -> str:
        """Read the unit once, beside whatever else is going on; what is wrong with it in words, or nothing."""
        reading = self._new_reading()
        try:
            await reading.values(link, -1, Looks(), suspect=False)
        except Silent:
            return f"{self.unit.id}: {self._say('unit.silent')}"
        except Refused as refused:
            return f"{self.unit.id}: {self._say.exception(refused.code)}"
        except LinkLost as lost:
            return f"{self.unit.id}: {lost.reason}"
        names = self.names(reading)
        return self._say("check.refused", unit=self.unit.id, points=", ".join(names)) if names else ""

    def names(self, reading: Reading) -> list[str]:
        """The points whose registers the device refused in this reading."""
        return [self.unit.points[int(row)].name for row in reading.plan.dead]

    def _new_reading(self) -> Reading:
        return Reading(self.unit.id, self.unit_id, self.places, self._count_row, self._settings, self._say)

    def _sample(self, sink: Sink, values: Floats) -> int:
        """A unit that numbers nothing: each look is a sample, at the unit's own rate, without drift."""
        now_ns = self._clock.wall_ns()
        self._emit(sink, values, self._scan_ns(values), now_ns)
        behind = not self._due_ns or now_ns - self._due_ns > self._period_ns
        self._due_ns = (now_ns if behind else self._due_ns) + self._period_ns
        return self._due_ns

    def _image(self, sink: Sink, values: Floats, count: int) -> int:
        t_ns = self._scan_ns(values)
        verdict = self._tally.judge(count, t_ns)
        if not verdict.fresh:
            return self._nothing_new(sink, proves_life=True)
        if verdict.missing:
            cause = "device_restarted" if verdict.restarted else "scans_missed"
            begin, end = verdict.start_ns, verdict.end_ns
            sink.missed(cause, units=[self.unit.id], start_ns=begin, end_ns=end, missing=verdict.missing)
            self._looks.missed += max(0, verdict.missing)
            self._looks.restarts += verdict.restarted
        now_ns = self._clock.wall_ns()
        self._tally.keep(count, t_ns)
        self._emit(sink, values, t_ns, now_ns)
        scan_ns = self._clock.to_wall_ns(t_ns) if t_ns else now_ns
        return self._rhythm.fresh(scan_ns, now_ns, missed=bool(verdict.missing))

    def _emit(self, sink: Sink, values: Floats, t_ns: int, now_ns: int) -> None:
        if not self._up:
            self._up = True
            sink.unit_up(self.unit.id)
        quality = np.where(np.isfinite(values), GOOD, BAD).astype(np.uint8)
        times = np.full(len(values), t_ns, dtype=np.int64)
        sink.reads(Reads(self._ids, times, values, quality, now_ns))
        self._seen_ns = now_ns
        self._looks.images += 1

    def _nothing_new(self, sink: Sink, *, proves_life: bool) -> int:
        """The old image, or a busy device. One whose scans stand still for longer than values may age is not alive."""
        now_ns = self._clock.wall_ns()
        self._looks.unchanged += 1
        if now_ns - self._seen_ns > self._stalled_ns:
            self._lose(sink, self._say("unit.stalled"))
        elif proves_life and self._up is not False:
            sink.alive([self.unit.id])
        return self._rhythm.stale(now_ns)

    def _failed(self, sink: Sink, reason: str, *, patience: int) -> int:
        """No values: after ``patience`` failures the unit is lost, and asked ever more seldom."""
        now_ns = self._clock.wall_ns()
        self._failures += 1
        beyond = self._failures - patience
        if beyond < 1:
            return now_ns
        self._lose(sink, reason)
        least_ns, most_ns = BACK_OFF_NS
        return now_ns + min(most_ns, least_ns * 2 ** min(beyond - 1, 8))

    def _lose(self, sink: Sink, reason: str) -> None:
        if self._up is not False:
            self._up = False
            sink.unit_lost(self.unit.id, reason)

    def _retry_refused(self) -> None:
        now_ns = self._clock.wall_ns()
        if not len(self.reading.plan.dead):
            self._again_ns = now_ns + REFUSED_AGAIN_NS
        elif now_ns >= self._again_ns:
            self._again_ns = now_ns + REFUSED_AGAIN_NS
            self.reading.forget_refusals()

    def _scan_ns(self, values: Floats) -> int:
        """Scan time in ns of plant time, 0 without one."""
        ms = 0.0 if self._scan_row is None else values[self._scan_row]
        return int(ms) * MS if np.isfinite(ms) else 0

    def _row(self, role: str) -> int | None:
        return next((i for i, p in enumerate(self.unit.points) if p.role == role), None)
