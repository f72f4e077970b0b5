"""One machine: PackML states, jobs, set-ups, cycles, scrap, wear, micro-stops and breakdowns on the plant's agenda."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from zhongshu.kernel.clock import NS
from zhongshu.model.plant import Unit, UnitType
from zhongshu.model.states import JobState, UnitMode, UnitState
from zhongshu.twin import packml
from zhongshu.twin.agenda import Ticket, ns
from zhongshu.twin.draws import Draws
from zhongshu.twin.job import Job, settle_kit
from zhongshu.twin.keys import Keys
from zhongshu.twin.lots import Lot, Where
from zhongshu.twin.rest import resting
from zhongshu.twin.shop import Shop

S = UnitState
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
        self.draws = Draws(unit, kind, self.truth, shop)
        self.wear = self.draws.wear()
        self.life_ns = self.draws.life(fresh=True)
        self.micro_ns = self.draws.micro()
        self.total_good = self.total_scrap = 0
        self.energy_kwh = 0.0
        self.running_ns = 0
        self.setpoints: dict[str, float] = {}
        self.request = (0, 0, 0, 0, 0, 0)
        self.base_kw = self.draws.base_kw()
        self.rest = resting(kind.rest, self.truth, self.base_kw, shop.now_ns)
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
        """Electrical power now."""
        return self._drawn(self.rest.kw(self.shop.now_ns))

    def _drawn(self, idle_kw: float) -> float:
        """Power in the present state; ``idle_kw`` where it has nothing to do."""
        if self.state is S.STARTING:
            return max(idle_kw, self.base_kw * self.truth.power_setup)
        if self.state is S.EXECUTE:
            return self.base_kw
        return self.base_kw * self.truth.power_down if self.state in DOWN else idle_kw

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
        if state not in packml.MANNED:
            self.shop.crews.ends(self.unit.id)
        self.shop.note("state", unit=self.unit.id, state=state.name, mode=self.mode.name)
        if seconds is not None:
            self.wait(ns(seconds))

    def wait(self, delay_ns: int) -> None:
        """End the present state, or the present stretch of work, after ``delay_ns``."""
        self.ticket = self.shop.agenda.after(delay_ns, self._elapsed)

    def settle(self) -> None:
        """Book the operating time and energy since the last call: work left, life left, wear, kWh."""
        now = self.shop.now_ns
        for length_ns, idle_kw in self.rest.stretches(self.metered_ns, now):
            self.energy_kwh += self._drawn(idle_kw) * length_ns / (3600 * NS)
        self.metered_ns = now
        passed, self.worked_ns = now - self.worked_ns, now
        if self.state not in packml.WORKING or self.job is None or passed <= 0:
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
        self.enter(S.SUSPENDED, self._off_s() or self.draws.micro_stop_s())

    def pause(self) -> None:
        """The working time is over: work that can be interrupted waits for the next; other work is done to its end."""
        if self.state is S.EXECUTE and self._off_s():
            self._go(S.SUSPENDING)

    def _off_s(self) -> float:
        """Seconds until working time begins again, for work that pauses; else 0."""
        able = self.kind.can(self.job.capability) if self.open_job is not None and self.job else None
        return self.shop.crews.off_ns(self.unit.id) / NS if able is not None and able.interruptible else 0.0

    # --- work

    def wake(self) -> None:
        """In Idle: begin the job that waits, go on with one that was broken off, or have worn parts changed."""
        if self.state is not S.IDLE:
            return
        job = self.open_job
        if job is None:
            if self.wear >= 1.0 or self._service_asked():
                self.maintaining = True
                self._go(S.STOPPING)
            return
        if not self.shop.crews.begins(self.unit.id, job.needs):
            return
        if job.state is JobState.WAITING:
            job.state = JobState.SETUP
        self._be_ready(job)
        if job.setup_left_ns <= 0:
            job.setup_left_ns = ns(packml.TRANSIENT_S[S.STARTING])
        self.enter(S.STARTING)
        self._work()

    def _be_ready(self, job: Job) -> None:
        """A job wakes a machine that rests; set-up and waking, or heating up, go on side by side."""
        wait_ns = self.rest.ready_in_ns(self.shop.now_ns)
        if self.kind.rest is not None and self.rest.resting:
            self.write(self.kind.rest.point, self.kind.rest.work)
        if wait_ns > job.setup_left_ns:
            self.shop.note("unready", unit=self.unit.id, wait_s=round((wait_ns - job.setup_left_ns) / NS))
            job.setup_left_ns = wait_ns

    def write(self, point: str, value: float) -> None:
        """A set-point, in engineering units; one for rest or service has its effect at once, or when the machine is idle."""
        self.settle()
        self.setpoints[point] = value
        if self.kind.rest is not None and point == self.kind.rest.point:
            self.rest.ask(value, self.shop.now_ns)
        elif self._service_asked():
            self.wake()

    def _service_asked(self) -> bool:
        service = self.kind.service
        return service is not None and self.setpoints.get(service.point, 0.0) >= 0.5

    def _execute(self) -> None:
        self.enter(S.EXECUTE)
        job = self.job
        if job is None or not job.left:
            self._go(S.COMPLETING)
            return
        if job.cycle_left_ns <= 0:
            job.cycle_left_ns = self.draws.cycle(job, self.slow)
        self._work()
        self.pause()

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
                job.cycle_left_ns = self.draws.cycle(job, self.slow)
                self._work()
            else:
                self._go(S.COMPLETING)
        else:
            self.micro_ns = self.draws.micro()
            self._go(S.SUSPENDING)

    def _count_piece(self, job: Job) -> None:
        share = self.truth.scrap if self.scrap_share is None else self.scrap_share
        if job.stale:
            share = max(share, self.truth.stale_scrap)
        lot = self.shop.stock.lots[job.lot]
        if self.draws.scrapped(share):
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
        if self.kind.service is not None:
            self.setpoints.pop(self.kind.service.point, None)
        self.life_ns = self.draws.life()
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
        self.enter(S.ABORTED, self.draws.repair_s())
        job = self.open_job
        if job is not None and job.cycle_left_ns < 0:
            job.cycle_left_ns = 0  # the piece that Stop let finish was caught by the fault: it is begun again

    def _repaired(self) -> None:
        self.broken = False
        self.life_ns = self.draws.life()
        self.wear *= 0.8
        self.shop.note("repaired", unit=self.unit.id)
        self._go(S.CLEARING)

    def set_slow(self, factor: float) -> None:
        """Cycles and set-ups take ``factor`` times as long, the present one included."""
        self.settle()
        ratio, self.slow = factor / self.slow, factor
        if self.job is not None and self.job.cycle_left_ns > 0:
            self.job.cycle_left_ns = round(self.job.cycle_left_ns * ratio)
        if self.state in packml.WORKING and self.ticket is not None:
            self.ticket.cancel()
            self._work()


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
