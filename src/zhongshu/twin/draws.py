"""What chance decides about one machine, by the truth of its type: cycles, set-ups, lives, micro-stops; asked for by the machine."""

from __future__ import annotations

from zhongshu.model import roles
from zhongshu.model.plant import Unit, UnitType
from zhongshu.twin.agenda import ns
from zhongshu.twin.chance import Stream
from zhongshu.twin.job import Job
from zhongshu.twin.settings import MachineTruth
from zhongshu.twin.shop import Shop

NEVER_NS = 10**19


class Draws:
    """The seeded draws of one machine; all lengths in ns of plant time."""

    def __init__(self, unit: Unit, kind: UnitType, truth: MachineTruth, shop: Shop) -> None:
        self._unit, self._kind, self._truth, self._shop = unit, kind, truth, shop

    def stream(self, purpose: str) -> Stream:
        """The machine's own numbers for one purpose."""
        return self._shop.stream(self._unit.id, purpose)

    def cycle(self, job: Job, slow: float) -> int:
        """One piece; ``slow`` times as long."""
        step = next(s for s in self._shop.recipes.routing(job.product) if s.operation == job.operation)
        able = self._kind.can(job.capability)
        nominal = step.cycle_s if step.cycle_s is not None else able.cycle_s if able is not None else 1.0
        nominal /= self._unit.speed
        stream = self.stream("cycle")
        draw = stream.gamma if self._truth.cycle_law == "gamma" else stream.lognormal
        return max(1, ns(draw(nominal * self._truth.cycle_factor, self._truth.cycle_spread) * slow))

    def setup(self, nominal_s: float, slow: float) -> int:
        """The true length of a set-up."""
        mean = nominal_s * self._truth.setup_factor
        return ns(self.stream("setup").lognormal(mean, self._truth.setup_spread) * slow) if mean else 0

    def life(self, *, fresh: bool = False) -> int:
        """Operating time until the next breakdown."""
        if not self._truth.mtbf_h:
            return NEVER_NS
        shape = self._truth.breakdown_shape if self._truth.breakdown_law == "weibull" else 1.0
        life = self.stream("life").weibull(self._truth.mtbf_h * 3600, shape)
        # A plant that begins has machines of every age, not all fresh from repair.
        return ns(life * (self.stream("life").uniform() if fresh else 1.0))

    def wear(self) -> float:
        """How worn a machine is when the plant begins."""
        return self._truth.wear_begin * self.stream("wear").uniform()

    def micro(self) -> int:
        """Operating time until the next micro-stop."""
        mean_s = 60 * self._truth.micro_stop_min
        return max(1, ns(self.stream("micro").exponential(mean_s))) if mean_s else NEVER_NS

    def micro_stop_s(self) -> float:
        """How long a micro-stop takes, in plant seconds."""
        return self.stream("micro").lognormal(self._truth.micro_stop_s, 0.7)

    def repair_s(self) -> float:
        """How long a repair takes, in plant seconds."""
        return 60 * self.stream("repair").lognormal(self._truth.repair_min, self._truth.repair_spread)

    def scrapped(self, share: float) -> bool:
        """Whether a piece fails."""
        return self.stream("scrap").happens(share)

    def base_kw(self) -> float:
        """Power at work; no chance in it."""
        if self._truth.power_kw is not None:
            return self._truth.power_kw
        point = self._shop.plant.role(self._unit, roles.POWER)
        return 0.65 * point.high if point is not None and point.high else 10.0
