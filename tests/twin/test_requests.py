"""What machines answer, and what then happens on them."""

from __future__ import annotations

from tests.twin.small import BOX, BUILD, PACK, PART, STAMP, TRAY, WASH, Bench
from zhongshu.model.commands import Outcome, Result, Verb
from zhongshu.model.states import JobState, UnitMode, UnitState
from zhongshu.twin.lots import Where


def _bring(bench: Bench, lot: int, unit: str) -> None:
    stock = bench.floor.shop.stock
    stock.move(stock.lots[lot], Where.INPUT, unit)


def _part(bench: Bench, lot: int, unit: str) -> None:
    """A finished lot of parts, lying at ``unit``."""
    assert bench.start("press-2", lot, PART, STAMP) is Result.OK
    bench.wait(600)
    _bring(bench, lot, "wash")
    assert bench.start("wash", lot, PART, WASH) is Result.OK
    bench.wait(600)
    _bring(bench, lot, unit)


def test_a_job_takes_set_up_cycles_and_transients_and_ends_in_the_output_buffer() -> None:
    bench = Bench()
    assert bench.start("press-1", 7, PART, STAMP) is Result.OK
    machine = bench.floor.machines["press-1"]
    assert (machine.state, machine.job and machine.job.state) == (UnitState.STARTING, JobState.SETUP)
    bench.wait(59)
    assert machine.state is UnitState.STARTING
    bench.wait(1.5)
    assert machine.state is UnitState.EXECUTE
    bench.wait(60)
    assert machine.state is UnitState.IDLE
    assert [e["state"] for e in bench.of("state")] == [
        "STARTING", "EXECUTE", "COMPLETING", "COMPLETE", "RESETTING", "IDLE",
    ]  # fmt: skip
    (done,) = [e for e in bench.of("job") if e["end"] == "done"]
    assert (done["good"], done["t_s"]) == (4, 60 + 40 + 1)
    lot = bench.floor.shop.stock.lots[7]
    assert (lot.where, lot.unit, lot.done, lot.good) == (Where.OUTPUT, "press-1", 1, 4)


def test_set_up_is_only_needed_when_the_family_changes() -> None:
    bench = Bench()
    times = []
    for lot, product in ((1, PART), (2, PART), (3, TRAY)):
        bench.start("press-1", lot, product, STAMP)
        bench.wait(600)
        stock = bench.floor.shop.stock
        stock.move(stock.lots[lot], Where.INPUT, "wash")
    begins = [e["t_s"] for e in bench.of("state") if e["state"] == "STARTING"]
    works = [e["t_s"] for e in bench.of("state") if e["state"] == "EXECUTE"]
    times = [round(b - a) for a, b in zip(begins, works, strict=True)]
    assert times == [60, 1, 100]  # general, none (a second to start), from the matrix


def test_each_refusal_has_its_result_and_changes_nothing() -> None:
    bench = Bench()
    assert bench.start("wash", 1, PART, STAMP) is Result.NOT_CAPABLE
    assert bench.start("wash", 1, PART, WASH) is Result.NO_MATERIAL
    assert bench.start("press-1", 1, 99, STAMP) is Result.BAD_ARGUMENT
    assert bench.start("press-1", 0, PART, STAMP) is Result.BAD_ARGUMENT
    assert bench.start("press-1", 1, PART, STAMP, 0) is Result.BAD_ARGUMENT
    assert bench.ask("press-1", Verb.TRANSPORT).result is Result.UNKNOWN_VERB
    assert bench.ask("press-1", Verb.RESET).result is Result.NOT_READY
    assert bench.ask("press-1", Verb.ABORT_JOB).result is Result.NOT_READY
    assert bench.ask("nobody", Verb.STOP).result is Result.BAD_ARGUMENT
    assert bench.ask("press-1", Verb.STOP, key=2**31).result is Result.BAD_ARGUMENT
    assert not bench.floor.shop.stock.lots
    assert bench.start("press-1", 1, PART, STAMP) is Result.OK
    assert bench.start("press-1", 2, PART, STAMP) is Result.BUSY
    assert bench.start("press-2", 1, PART, STAMP) is Result.NO_MATERIAL  # the lot is on the other press
    bench.floor.machines["press-2"].local = True
    refused = bench.ask("press-2", Verb.STOP)
    assert (refused.outcome, refused.result) == (Outcome.REFUSED, Result.WRONG_MODE)
    assert refused.reason


def test_the_same_key_gets_the_same_answer_and_does_nothing() -> None:
    bench = Bench()
    args = {"lot": 1, "product": PART, "operation": STAMP, "quantity": 4}
    assert bench.ask("press-1", Verb.START_JOB, 77, **args).result is Result.OK
    bench.wait(600)
    before = bench.floor.dump()
    again = bench.ask("press-1", Verb.START_JOB, 77, **args)
    assert (again.outcome, again.result) == (Outcome.ACCEPTED, Result.OK)
    assert bench.ask("press-1", Verb.STOP, 77).result is Result.OK  # a key is a key, whatever comes with it
    assert bench.floor.dump() == before
    refused = bench.ask("press-1", Verb.RESET, 78)
    assert refused.result is Result.NOT_READY
    bench.ask("press-1", Verb.STOP, 79)
    bench.wait(10)
    assert bench.ask("press-1", Verb.RESET, 78).result is Result.NOT_READY  # though now it could be done
    assert bench.floor.machines["press-1"].state is UnitState.STOPPED


def test_a_full_output_buffer_refuses_the_next_job() -> None:
    bench = Bench()
    for lot in (1, 2):
        assert bench.start("press-1", lot, PART, STAMP) is Result.OK
        bench.wait(600)
    assert bench.start("press-1", 3, PART, STAMP) is Result.OUTPUT_FULL
    _bring(bench, 1, "wash")
    assert bench.start("press-1", 3, PART, STAMP) is Result.OK


def test_an_assembly_needs_its_parts_and_keeps_loose_ones() -> None:
    bench = Bench()
    assert bench.start("build", 50, BOX, BUILD) is Result.NO_MATERIAL
    _part(bench, 9, "build")
    assert bench.start("build", 50, BOX, BUILD, 3) is Result.OK
    assert 9 not in bench.floor.shop.stock.lots
    assert bench.floor.shop.stock.loose("build", PART) == 1
    bench.wait(600)
    assert bench.floor.shop.stock.tally(PART).consumed == 3
    assert bench.start("build", 51, BOX, BUILD) is Result.NO_MATERIAL  # one loose part is no lot
    _part(bench, 10, "build")
    assert bench.start("build", 51, BOX, BUILD) is Result.OK
    assert bench.floor.shop.stock.loose("build", PART) == 1
    assert set(bench.floor.unaccounted().values()) == {0}


def test_a_part_lot_that_lost_a_piece_makes_one_product_less() -> None:
    bench = Bench()
    _part(bench, 9, "build")
    bench.floor.shop.stock.scrap(bench.floor.shop.stock.lots[9], 1)
    assert bench.start("build", 50, BOX, BUILD) is Result.OK
    bench.wait(600)
    assert bench.floor.shop.stock.lots[50].good == 3
    assert set(bench.floor.unaccounted().values()) == {0}


def test_fewer_assemblies_than_pieces_are_made_when_they_are_asked_for() -> None:
    bench = Bench()
    bench.start("press-1", 1, TRAY, STAMP)
    bench.wait(600)
    _bring(bench, 1, "pack")
    assert bench.start("pack", 1, TRAY, PACK, 1) is Result.OK  # no component enters: the whole lot is worked
    bench.wait(600)
    assert bench.floor.stored() == {TRAY: 4}


def test_the_last_step_of_a_product_swallows_the_lot() -> None:
    bench = Bench()
    bench.start("press-1", 1, TRAY, STAMP)
    bench.wait(600)
    _bring(bench, 1, "pack")
    assert bench.start("pack", 1, TRAY, PACK) is Result.OK
    bench.wait(600)
    assert bench.floor.stored() == {TRAY: 4}
    assert not bench.floor.shop.stock.lots
    assert bench.start("press-1", 1, TRAY, STAMP) is Result.NO_MATERIAL  # its number is used up


def test_stop_finishes_the_cycle_and_reset_goes_on_with_the_job() -> None:
    bench = Bench()
    bench.start("press-1", 1, PART, STAMP)
    machine = bench.floor.machines["press-1"]
    bench.wait(60 + 13)
    assert bench.ask("press-1", Verb.STOP).result is Result.OK
    assert machine.state is UnitState.STOPPING
    bench.wait(6)
    assert machine.state is UnitState.STOPPING
    bench.wait(2)
    assert (machine.state, machine.total_good) == (UnitState.STOPPED, 2)
    bench.wait(3600)
    assert machine.state is UnitState.STOPPED
    assert bench.ask("press-1", Verb.RESET).result is Result.OK
    bench.wait(60)
    assert machine.job is not None
    assert (machine.job.state, machine.job.good) == (JobState.DONE, 4)


def test_hold_freezes_the_cycle() -> None:
    bench = Bench()
    bench.start("press-1", 1, PART, STAMP)
    bench.wait(65)
    assert bench.ask("press-1", Verb.HOLD).result is Result.OK
    bench.wait(1000)
    machine = bench.floor.machines["press-1"]
    assert (machine.state, machine.total_good) == (UnitState.HELD, 0)
    assert bench.ask("press-1", Verb.UNHOLD).result is Result.OK
    bench.wait(1 + 4.9)
    assert machine.total_good == 0
    bench.wait(0.2)
    assert machine.total_good == 1


def test_an_aborted_job_leaves_its_lot_and_is_taken_up_where_it_was() -> None:
    bench = Bench()
    bench.start("press-1", 1, PART, STAMP)
    bench.wait(60 + 25)
    assert bench.ask("press-1", Verb.ABORT_JOB).result is Result.OK
    bench.wait(60)
    machine = bench.floor.machines["press-1"]
    assert (machine.state, machine.job and machine.job.state) == (UnitState.IDLE, JobState.ABORTED)
    lot = bench.floor.shop.stock.lots[1]
    assert (lot.where, lot.done, lot.worked) == (Where.INPUT, 0, 2)
    assert bench.start("press-1", 1, PART, STAMP) is Result.OK
    bench.wait(60)
    assert machine.job is not None
    assert (machine.job.good, machine.total_good, lot.done) == (2, 4, 1)


def test_a_breakdown_is_repaired_and_the_job_goes_on() -> None:
    bench = Bench()
    bench.start("press-1", 1, PART, STAMP)
    bench.wait(75)
    machine = bench.floor.machines["press-1"]
    assert machine.break_down()
    bench.wait(1)
    assert machine.state is UnitState.ABORTED
    assert bench.start("press-1", 2, PART, STAMP) is Result.BUSY
    bench.wait(6 * 3600)
    assert machine.job is not None
    assert (machine.job.state, machine.job.good) == (JobState.DONE, 4)
    states = [e["state"] for e in bench.of("state")]
    at = states.index("ABORTING")
    assert states[at : at + 7] == [
        "ABORTING",
        "ABORTED",
        "CLEARING",
        "STOPPED",
        "RESETTING",
        "IDLE",
        "STARTING",
    ]


def test_worn_machines_are_maintained_when_idle() -> None:
    bench = Bench()
    machine = bench.floor.machines["press-1"]
    machine.wear = 1.2
    bench.start("press-1", 1, PART, STAMP)
    bench.wait(60 + 40 + 20)
    assert machine.mode is UnitMode.MAINTENANCE
    assert bench.start("press-1", 2, PART, STAMP) is Result.WRONG_MODE
    bench.wait(40 * 60)
    assert (machine.mode, machine.state, machine.wear) == (UnitMode.PRODUCTION, UnitState.IDLE, 0.0)


def test_set_points_are_written_within_their_limits() -> None:
    bench = Bench()
    assert bench.floor.written("press-1", "force_set", 700).result is Result.OK
    assert bench.floor.machines["press-1"].setpoints == {"force_set": 700}
    assert bench.floor.written("press-1", "force_set", 7000).result is Result.BAD_ARGUMENT
    assert bench.floor.written("press-1", "force_set", float("nan")).result is Result.BAD_ARGUMENT
    assert bench.floor.written("press-1", "force", 7).result is Result.BAD_ARGUMENT
    assert bench.floor.written("press-1", "no_such", 7).result is Result.BAD_ARGUMENT
    bench.floor.machines["press-1"].local = True
    assert bench.floor.written("press-1", "force_set", 700).result is Result.WRONG_MODE
