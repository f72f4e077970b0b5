"""Whatever is asked and whatever breaks, machines only make transitions that the standard knows."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.twin.small import PACK, PART, STAMP, TRAY, WASH, WILD, Bench
from zhongshu.model.commands import Result, Verb
from zhongshu.model.states import UnitState

#: ISA-TR88.00.02-2022, state by state, written down here a second time and in another form than in the twin.
_STOP = ["STOPPING", "ABORTING"]
_LEGAL = {
    "STOPPED": ["RESETTING", "ABORTING"],
    "RESETTING": ["IDLE", *_STOP],
    "IDLE": ["STARTING", *_STOP],
    "STARTING": ["EXECUTE", *_STOP],
    "EXECUTE": ["COMPLETING", "HOLDING", "SUSPENDING", *_STOP],
    "COMPLETING": ["COMPLETE", *_STOP],
    "COMPLETE": ["RESETTING", *_STOP],
    "HOLDING": ["HELD", *_STOP],
    "HELD": ["UNHOLDING", *_STOP],
    "UNHOLDING": ["EXECUTE", *_STOP],
    "SUSPENDING": ["SUSPENDED", *_STOP],
    "SUSPENDED": ["UNSUSPENDING", *_STOP],
    "UNSUSPENDING": ["EXECUTE", *_STOP],
    "STOPPING": ["STOPPED", "ABORTING"],
    "ABORTING": ["ABORTED"],
    "ABORTED": ["CLEARING"],
    "CLEARING": ["STOPPED", "ABORTING"],
}
_MACHINES = ["press-1", "press-2", "wash", "pack"]


class Abused(RuleBasedStateMachine):
    """Machines under random commands, breakdowns and waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(WILD)
        self.lot = 0

    @rule(unit=st.sampled_from(_MACHINES), verb=st.sampled_from([v for v in Verb if v is not Verb.START_JOB]))
    def ask(self, unit: str, verb: Verb) -> None:
        self.bench.ask(unit, verb)

    @rule(unit=st.sampled_from(["press-1", "press-2"]), product=st.sampled_from([PART, TRAY]))
    def create(self, unit: str, product: int) -> None:
        self.lot += 1
        self.bench.start(unit, self.lot, product, STAMP)

    @rule(unit=st.sampled_from(_MACHINES), data=st.data())
    def work_on(self, unit: str, data: st.DataObject) -> None:
        lots = sorted(self.bench.floor.shop.stock.lots)
        if lots:
            lot = self.bench.floor.shop.stock.lots[data.draw(st.sampled_from(lots))]
            operation = {"wash": WASH, "pack": PACK}.get(unit, STAMP)
            self.bench.start(unit, lot.number, lot.product, operation)

    @rule(unit=st.sampled_from(_MACHINES))
    def break_down(self, unit: str) -> None:
        self.bench.floor.machines[unit].break_down()

    @rule(unit=st.sampled_from(_MACHINES), local=st.booleans())
    def local_mode(self, unit: str, local: bool) -> None:
        self.bench.floor.machines[unit].local = local

    @rule(unit=st.sampled_from(_MACHINES), factor=st.sampled_from([1.0, 1.5, 20.0]))
    def slow(self, unit: str, factor: float) -> None:
        self.bench.floor.machines[unit].set_slow(factor)

    @rule(seconds=st.sampled_from([0.3, 1.0, 7.0, 45.0, 400.0]))
    def wait(self, seconds: float) -> None:
        self.bench.wait(seconds)

    @invariant()
    def transitions_are_legal(self) -> None:
        last = dict.fromkeys(_MACHINES, "IDLE")
        for event in self.bench.of("state"):
            unit = event["unit"]
            if unit in last:
                assert event["state"] in _LEGAL[last[unit]], (unit, last[unit], event["state"])
                last[unit] = event["state"]

    @invariant()
    def material_is_conserved(self) -> None:
        assert set(self.bench.floor.unaccounted().values()) <= {0}

    @invariant()
    def a_machine_that_works_has_something_ahead_of_it(self) -> None:
        """Nobody is left waiting for a ticket that never comes."""
        resting = {UnitState.IDLE, UnitState.STOPPED, UnitState.HELD}
        for machine in self.bench.floor.machines.values():
            assert (machine.ticket is not None) or machine.state in resting

    def teardown(self) -> None:
        """However it was abused, a machine can be brought back to Idle within a shift."""
        self.bench.wait(4 * 3600)
        for unit in _MACHINES:
            machine = self.bench.floor.machines[unit]
            machine.local = False
            machine.set_slow(1.0)
            for _ in range(20):
                if machine.state is UnitState.HELD:
                    self.bench.ask(unit, Verb.UNHOLD)
                self.bench.ask(unit, Verb.ABORT_JOB)
                if self.bench.ask(unit, Verb.RESET).result is Result.OK:
                    self.bench.wait(5)
                if machine.state is UnitState.IDLE and machine.open_job is None:
                    break
                self.bench.wait(600)
            else:
                raise AssertionError((unit, machine.state, machine.mode, machine.job))


TestAbused = Abused.TestCase
TestAbused.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
