"""One machine: PackML states, jobs, set-ups, cycles, scrap, wear, micro-stops and breakdowns on the plant's agenda."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from zhongshu.kernel.clock import NS
from zhongshu.model import roles
from zhongshu.model.plant import Unit, UnitType
from zhongshu.model.states import JobState, UnitMode, UnitState
from zhongshu.twin import packml
from zhongshu.twin.agenda import Ticket, ns
from zhongshu.twin.chance import Stream
from zhongshu.twin.job import Job, settle_kit
from zhongshu.twin.keys import Keys
from zhongshu.twin.lots import Lot, Where
from zhongshu.twin.shop import Shop

S = UnitState
NEVER_NS = 10**19
#: States in which operating time passes: work goes on, wear grows, a breakdown may strike.
WORKING = frozenset({S.STARTING, S.EXECUTE})
DOWN = frozenset({S.ABORTING, S.ABORTED, S.CLEARING, S.STOPPING, S.STOPPED})


class Machine:
    """The state machine; requests.py decides what may be asked of it, this does it.

    Everything that happens later hangs on one ticket: a machine waits for exactly one thing at a time.
    """

    def __init__(self, unit: Unit, kind: UnitType, shop: Shop) -> None:
        self.unit, self.kind, self.shop = unit, kind, shop
        self.truth = shop.truth.of(kind.id)
        self.keys = Keys()
        self.state = S.IDLE
        self.job: Job | None = None
        self.family = ""
        self.local = self.maintaining = self.latched = self.broken = False
        self.slow = 1.0
        self.scrap_share: float | None = None
        self.wear = 0.6 * shop.stream(unit.id, "wear").uniform()
        self.life_ns = self._draw_life(fresh=True)
        self.micro_ns = self._draw_micro()
        self.total_good = self.total_scrap = 0
        self.energy_kwh = 0.0
        self.running_ns = 0
        self.setpoints: dict[str, float] = {}
        self.request = (0, 0, 0, 0, 0, 0)
        self.base_kw = self._base_kw()
        self.ticket: Ticket | None = None
        self.since_ns = self.worked_ns = self.metered_ns = shop.now_ns

    # --- what it looks like from outside

    @property
    def mode(self) -> UnitMode:
        """PackML unit mode."""
        if self.local:
            return UnitMode.LOCAL
        return UnitMode.MAINTENANCE if self.maintaining else UnitMode.PRODUCTION

    @property
    def power_kw(self) -> float:
        """Electrical power in the present state."""
        share = {S.EXECUTE: 1.0, S.STARTING: self.truth.power_setup}.get(self.state, self.truth.power_idle)
        return self.base_kw * (self.truth.power_down if self.state in DOWN else share)

    @property
    def open_job(self) -> Job | None:
        """The job that is not ended yet, or None."""
        return self.job if self.job is not None and self.job.open else None

    def progress(self) -> float:
        """Percent of the present job's pieces that are worked."""
        job = self.job
        return 0.0 if job is None or not job.total else 100.0 * (job.good + job.scrap) / job.total

    # --- transitions

    def enter(self, state: UnitState, seconds: float | None = None) -> None:
        """Go to a state (raises IllegalTransition); ``seconds`` later it ends by itself, None: only from outside."""
        self.settle()
        packml.require(self.state, state)
        if self.ticket is not None:
            self.ticket.cancel()
            self.ticket = None
        self.state, self.since_ns = state, self.shop.now_ns
        self.shop.note("state", unit=self.unit.id, state=state.name, mode=self.mode.name)
        if seconds is not None:
            self.wait(ns(seconds))

    def wait(self, delay_ns: int) -> None:
        """End the present state, or the present stretch of work, after ``delay_ns``."""
        self.ticket = self.shop.agenda.after(delay_ns, self._elapsed)

    def settle(self) -> None:
        """Book the operating time and energy since the last call: work left, life left, wear, kWh."""
        now = self.shop.now_ns
        self.energy_kwh += self.power_kw * (now - self.metered_ns) / (3600 * NS)
        self.metered_ns = now
        passed, self.worked_ns = now - self.worked_ns, now
        if self.state not in WORKING or self.job is None or passed <= 0:
            return
        self.life_ns -= passed
        self.running_ns += passed
        self.wear += passed / (self.truth.wear_life_h * 3600 * NS)
        if self.state is S.STARTING:
            self.job.setup_left_ns -= passed
        else:
            self.job.cycle_left_ns -= passed
            self.micro_ns -= passed

    def _elapsed(self) -> None:
        """The ticket came due: what follows depends on the state alone."""
        self.settle()
        _ENDS[self.state](self)  # Idle and Held have no entry: they end only from outside

    def _go(self, state: UnitState) -> None:
        """To a state that ends by itself after its usual time."""
        self.enter(state, packml.TRANSIENT_S[state])

    def _idle(self) -> None:
        self.enter(S.IDLE)
        self.wake()

    def _cleared(self) -> None:
        self.enter(S.STOPPED)
        self._reset_unless_latched()

    def _suspended(self) -> None:
        self.enter(S.SUSPENDED, self._stream("micro").lognormal(self.truth.micro_stop_s, 0.7))

    # --- work

    def wake(self) -> None:
        """In Idle: begin the job that waits, go on with one that was broken off, or have worn parts changed."""
        if self.state is not S.IDLE:
            return
        job = self.open_job
        if job is None:
            if self.wear >= 1.0:
                self.maintaining = True
                self._go(S.STOPPING)
            return
        if job.state is JobState.WAITING:
            job.state = JobState.SETUP
        if job.setup_left_ns <= 0:
            job.setup_left_ns = ns(packml.TRANSIENT_S[S.STARTING])
        self.enter(S.STARTING)
        self._work()

    def _execute(self) -> None:
        self.enter(S.EXECUTE)
        job = self.job
        if job is None or not job.left:
            self._go(S.COMPLETING)
            return
        if job.cycle_left_ns <= 0:
            job.cycle_left_ns = self._draw_cycle(job)
        self._work()

    def _work(self) -> None:
        """Work until the stretch is done, the machine breaks or a micro-stop comes: whichever is first."""
        job = self.job
        if job is None:
            return
        starting = self.state is S.STARTING
        left = job.setup_left_ns if starting else min(job.cycle_left_ns, self.micro_ns)
        self.wait(max(0, min(left, self.life_ns)))

    def _worked(self) -> None:
        job = self.job
        if job is None:
            return
        if self.life_ns <= 0:
            self.break_down()
        elif self.state is S.STARTING:
            job.state = JobState.RUNNING
            self.family = job.family
            self._execute()
        elif job.cycle_left_ns <= 0:
            self._count_piece(job)
            if job.left:
                job.cycle_left_ns = self._draw_cycle(job)
                self._work()
            else:
                self._go(S.COMPLETING)
        else:
            self.micro_ns = self._draw_micro()
            self._go(S.SUSPENDING)

    def _count_piece(self, job: Job) -> None:
        share = self.truth.scrap if self.scrap_share is None else self.scrap_share
        if job.stale:
            share = max(share, self.truth.stale_scrap)
        lot = self.shop.stock.lots[job.lot]
        if self._stream("scrap").happens(share):
            job.scrap += 1
            self.total_scrap += 1
            self.shop.stock.scrap(lot, 1)
        else:
            job.good += 1
            self.total_good += 1
            lot.worked += 1

    def parts(self, number: int) -> list[int]:
        """Lots of finished parts at the machine, oldest first, but for the lot ``number``: what an assembly may take from."""
        lots = self.shop.stock.at(self.unit.id)
        return [x.number for x in lots if x.number != number and self.shop.recipes.is_part(x.product, x.done)]

    def lose(self, job: Job, lot: Lot, pieces: int) -> None:
        """Pieces for which there is no component: scrapped before they are worked."""
        job.total += pieces
        job.short = job.scrap = pieces
        self.total_scrap += pieces
        self.shop.stock.scrap(lot, pieces)

    def _completed(self) -> None:
        """The last piece is out: the lot lies in the output buffer, is stored, or nothing good is left of it."""
        job, stock = self.job, self.shop.stock
        self._go(S.COMPLETE)
        if job is None or not job.open:
            return
        lot = stock.lots[job.lot]
        settle_kit(stock, job, self.unit.id, self.shop.recipes.needs(job.product, job.operation))
        lot.done, lot.worked, lot.ended_ns = lot.done + 1, 0, self.shop.now_ns
        product = self.shop.recipes.product(job.product)
        stored = (
            product is not None and product.sellable and self.shop.recipes.finished(lot.product, lot.done)
        )
        if stored or not lot.good:
            stock.remove(lot, stored=stored)
        else:
            stock.move(lot, Where.OUTPUT, self.unit.id)
        job.state = JobState.DONE
        self.shop.note(
            "job", unit=self.unit.id, key=job.key, lot=job.lot, end="done", good=job.good, scrap=job.scrap
        )
        if stored:
            self.shop.note("stored", lot=lot.number, product=lot.product, pieces=lot.good)

    def abort_job(self) -> None:
        """The job ends here: its lot lies in front of the machine again, what was worked stays worked."""
        job, stock = self.open_job, self.shop.stock
        if job is None:
            return
        settle_kit(stock, job, self.unit.id, self.shop.recipes.needs(job.product, job.operation))
        lot = stock.lots[job.lot]
        if lot.good:
            stock.move(lot, Where.INPUT, self.unit.id)
        else:
            stock.remove(lot, stored=False)
        job.state = JobState.ABORTED
        self.shop.note(
            "job", unit=self.unit.id, key=job.key, lot=job.lot, end="aborted", good=job.good, scrap=job.scrap
        )
        if self.state in packml.STOPPABLE and self.state not in (S.IDLE, S.RESETTING, S.COMPLETE):
            self._go(S.STOPPING)

    def give_up(self) -> None:
        """After a restore with another plant file: the job's lot is no more, the machine begins afresh."""
        if self.ticket is not None:
            self.ticket.cancel()
        self.ticket, self.job, self.state = None, None, S.IDLE

    # --- stops, faults, repairs

    def stop(self) -> None:
        """Finish the cycle, then Stopped until somebody resets."""
        self.settle()
        self.latched = True
        rest_s = packml.TRANSIENT_S[S.STOPPING]
        if self.state is S.EXECUTE and self.job is not None and self.job.open:
            rest_s = max(rest_s, self.job.cycle_left_ns / NS)
            self.job.cycle_left_ns = -1  # marks the piece that is finished on the way to Stopped
        self.enter(S.STOPPING, rest_s)

    def _stopped(self) -> None:
        job = self.open_job
        if job is not None and job.cycle_left_ns < 0:
            self._count_piece(job)
            job.cycle_left_ns = 0
        self.enter(S.STOPPED)
        if self.maintaining:
            self.wait(ns(60 * self.truth.maintenance_min))
        else:
            self._reset_unless_latched()

    def _maintained(self) -> None:
        self.maintaining, self.wear = False, 0.0
        self.life_ns = self._draw_life()
        self.shop.note("maintained", unit=self.unit.id)
        self._reset_unless_latched()

    def _reset_unless_latched(self) -> None:
        if not self.latched and not self.maintaining:
            self._go(S.RESETTING)

    def break_down(self) -> bool:
        """A fault strikes; False where the machine is aborted already."""
        self.settle()
        if self.state not in packml.ABORTABLE:
            return False
        self.maintaining = False
        self.broken = True
        self._go(S.ABORTING)
        self.shop.note("breakdown", unit=self.unit.id)
        return True

    def _aborted(self) -> None:
        repair = 60 * self._stream("repair").lognormal(self.truth.repair_min, self.truth.repair_spread)
        self.enter(S.ABORTED, repair)
        job = self.open_job
        if job is not None and job.cycle_left_ns < 0:
            job.cycle_left_ns = 0  # the piece that Stop let finish was caught by the fault: it is begun again

    def _repaired(self) -> None:
        self.broken = False
        self.life_ns = self._draw_life()
        self.wear *= 0.8
        self.shop.note("repaired", unit=self.unit.id)
        self._go(S.CLEARING)

    def set_slow(self, factor: float) -> None:
        """Cycles and set-ups take ``factor`` times as long, the present one included."""
        self.settle()
        ratio, self.slow = factor / self.slow, factor
        if self.job is not None and self.job.cycle_left_ns > 0:
            self.job.cycle_left_ns = round(self.job.cycle_left_ns * ratio)
        if self.state in WORKING and self.ticket is not None:
            self.ticket.cancel()
            self._work()

    # --- draws

    def _stream(self, purpose: str) -> Stream:
        return self.shop.stream(self.unit.id, purpose)

    def _draw_cycle(self, job: Job) -> int:
        step = next(s for s in self.shop.recipes.routing(job.product) if s.operation == job.operation)
        able = self.kind.can(job.capability)
        nominal = step.cycle_s if step.cycle_s is not None else able.cycle_s if able is not None else 1.0
        nominal /= self.unit.speed
        stream = self._stream("cycle")
        draw = stream.gamma if self.truth.cycle_law == "gamma" else stream.lognormal
        return max(1, ns(draw(nominal * self.truth.cycle_factor, self.truth.cycle_spread) * self.slow))

    def draw_setup(self, nominal_s: float) -> int:
        """The true length of a set-up, ns."""
        mean = nominal_s * self.truth.setup_factor
        return ns(self._stream("setup").lognormal(mean, self.truth.setup_spread) * self.slow) if mean else 0

    def _draw_life(self, *, fresh: bool = False) -> int:
        if not self.truth.mtbf_h:
            return NEVER_NS
        shape = self.truth.breakdown_shape if self.truth.breakdown_law == "weibull" else 1.0
        life = self._stream("life").weibull(self.truth.mtbf_h * 3600, shape)
        # A plant that begins has machines of every age, not all fresh from repair.
        return ns(life * (self._stream("life").uniform() if fresh else 1.0))

    def _draw_micro(self) -> int:
        mean_s = 60 * self.truth.micro_stop_min
        return max(1, ns(self._stream("micro").exponential(mean_s))) if mean_s else NEVER_NS

    def _base_kw(self) -> float:
        if self.truth.power_kw is not None:
            return self.truth.power_kw
        point = self.shop.plant.role(self.unit, roles.POWER)
        return 0.65 * point.high if point is not None and point.high else 10.0


#: What follows when the ticket of a state comes due.
_ENDS: Mapping[UnitState, Callable[[Machine], None]] = {
    S.STARTING: Machine._worked,
    S.EXECUTE: Machine._worked,
    S.COMPLETING: Machine._completed,
    S.COMPLETE: lambda machine: machine._go(S.RESETTING),
    S.RESETTING: Machine._idle,
    S.STOPPING: Machine._stopped,
    S.STOPPED: Machine._maintained,
    S.ABORTING: Machine._aborted,
    S.ABORTED: Machine._repaired,
    S.CLEARING: Machine._cleared,
    S.HOLDING: lambda machine: machine.enter(S.HELD),
    S.SUSPENDING: Machine._suspended,
    S.SUSPENDED: lambda machine: machine._go(S.UNSUSPENDING),
    S.UNHOLDING: Machine._execute,
    S.UNSUSPENDING: Machine._execute,
}
