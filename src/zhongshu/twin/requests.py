"""What may be asked of a machine and how it answers: each request is checked in a fixed order, then done by machine.py."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from zhongshu.kernel.clock import NS
from zhongshu.model.commands import Answer, Call, Result, Verb
from zhongshu.model.plant import Step
from zhongshu.model.states import COMMANDABLE, UnitState
from zhongshu.twin import packml
from zhongshu.twin.job import Job, possible, take_kit
from zhongshu.twin.keys import answer
from zhongshu.twin.lots import Lot, Where
from zhongshu.twin.machine import Machine
from zhongshu.twin.recipes import setup_s
from zhongshu.twin.words import say

S = UnitState
KEY_LIMIT = 2**31
#: A job may be given when the machine is idle, or on its last metres to it after the job before.
STARTABLE = frozenset({S.IDLE, S.COMPLETE, S.RESETTING})
#: Component lots lose pieces on their way. With at least this share of what is wanted an assembly begins, and the pieces
#: that lack a component are scrapped; with less the material is simply not there yet.
ENOUGH = 0.5


class Refusal(Exception):
    """The request is not done: ``result`` for the wire, ``reason`` for people."""

    def __init__(self, result: Result, key: str, **values: object) -> None:
        super().__init__(key)
        self.result = result
        self.reason = say(key, **values)


def ask(machine: Machine, call: Call) -> Answer:
    """Answer one request; a key answered before gets the same answer again and nothing is done."""
    now = machine.shop.now_ns
    if not 0 < call.key < KEY_LIMIT:
        return answer(Result.BAD_ARGUMENT, say("refused.bad_argument", what="key"), now)
    told = machine.keys.known(call.key)
    if told is not None:
        return told
    result, reason = Result.OK, ""
    try:
        _do(machine, call)
    except Refusal as refusal:
        result, reason = refusal.result, refusal.reason
    machine.keys.keep(call.key, result, reason)
    # The request registers show what came in last, whatever became of it.
    asked = [_int(call.args, name, 0) for name in ("lot", "product", "operation", "quantity")]
    machine.request = (int(call.verb), asked[0], asked[1], asked[2], asked[3], call.key)
    machine.shop.note("answer", unit=machine.unit.id, verb=call.verb.name, key=call.key, result=result.name)
    return answer(result, reason, now)


def _do(machine: Machine, call: Call) -> None:
    if call.verb not in _VERBS:
        raise Refusal(Result.UNKNOWN_VERB, "refused.unknown_verb", verb=call.verb.name)
    if machine.mode not in COMMANDABLE:
        raise Refusal(Result.WRONG_MODE, "refused.wrong_mode", mode=machine.mode.name)
    _VERBS[call.verb](machine, call)


def _start(machine: Machine, call: Call) -> None:
    """START_JOB: arguments, capability, state, material, room behind the machine; then the lot is on the machine."""
    number, product, operation, quantity = (
        _int(call.args, name, -1) for name in ("lot", "product", "operation", "quantity")
    )
    for name, value in (("lot", number), ("quantity", quantity)):
        if value <= 0:
            raise Refusal(Result.BAD_ARGUMENT, "refused.bad_argument", what=f"{name} {value}")
    recipes, stock = machine.shop.recipes, machine.shop.stock
    made = recipes.product(product)
    if made is None:
        raise Refusal(Result.BAD_ARGUMENT, "refused.bad_argument", what=f"product {product}")
    steps = [
        (i, s)
        for i, s in enumerate(made.routing)
        if s.operation == operation and machine.kind.can(s.capability)
    ]
    if not steps:
        raise Refusal(Result.NOT_CAPABLE, "refused.not_capable", operation=operation)
    if machine.open_job is not None:
        raise Refusal(Result.BUSY, "refused.busy", number=machine.open_job.key)
    _require(machine, call, STARTABLE)
    source = _lot(machine, number, product, dict(steps))
    done = source.done if source is not None else 0
    if source is None and steps[0][0] != 0:
        raise Refusal(Result.NO_MATERIAL, "refused.no_material", lot=number)
    wanted = source.good - source.worked if source is not None else quantity
    parts = machine.parts(number)
    needs = recipes.needs(product, operation)
    # Who asks for fewer assemblies knows that a component lot holds fewer pieces; other steps work the whole lot.
    asked = min(wanted, quantity) if needs else wanted
    pieces, lacking = possible(stock, machine.unit.id, needs, asked, parts)
    if lacking is not None and pieces < ENOUGH * asked:
        missing = lacking.pieces(asked)
        raise Refusal(Result.NO_MATERIAL, "refused.no_component", product=lacking.product, pieces=missing)
    last = made.sellable and recipes.finished(product, done + 1)
    _room(machine, source, last=last)
    lot = source or stock.create(number, product, pieces, machine.unit.id)
    stock.move(lot, Where.MACHINE, machine.unit.id)
    step = made.routing[done]
    family = made.family_at(step)
    nominal = setup_s(machine.kind, step.capability, machine.family, family)
    machine.job = Job(call.key, number, product, operation, step.capability, family, pieces)
    able = machine.kind.can(step.capability)
    machine.job.needs = {**(able.needs if able is not None else {}), **step.needs}
    machine.job.stale = source is not None and _stale(machine, source, step)
    if source is not None and pieces < wanted:
        machine.lose(machine.job, lot, wanted - pieces)
    machine.job.setup_left_ns = machine.draws.setup(nominal, machine.slow)
    if machine.job.setup_left_ns:
        machine.shop.note("setup", unit=machine.unit.id, family=family)
    machine.job.kit = take_kit(stock, machine.unit.id, needs, pieces, parts)
    machine.shop.note("job", unit=machine.unit.id, key=call.key, lot=number, end="", good=0, scrap=0)
    machine.wake()


def _stale(machine: Machine, lot: Lot, step: Step) -> bool:
    """The lot has waited longer since its last step than this one allows."""
    return step.max_wait_s is not None and machine.shop.now_ns - lot.ended_ns > step.max_wait_s * NS


def _lot(machine: Machine, number: int, product: int, steps: Mapping[int, Step]) -> Lot | None:
    """The lot, lying at this unit, or on the conveyor to it, and ready for one of ``steps``; None where it must still be
    created."""
    stock = machine.shop.stock
    lot = stock.lots.get(number)
    if lot is None:
        if 0 in steps and number not in stock.gone:
            return None
        raise Refusal(Result.NO_MATERIAL, "refused.no_material", lot=number)
    here = lot.unit == machine.unit.id and lot.where in (Where.INPUT, Where.OUTPUT)
    if lot.where is Where.OUTPUT and lot.done in steps and steps[lot.done].transfer:
        here = True
    if not here or lot.product != product or lot.done not in steps:
        raise Refusal(Result.NO_MATERIAL, "refused.no_material", lot=number)
    return lot


def _room(machine: Machine, source: Lot | None, *, last: bool) -> None:
    """The lot must find a place behind the machine when it is done; one that came from there leaves its own."""
    if last or machine.kind.buffer_out <= 0:
        return
    lots = len(machine.shop.stock.buffer(machine.unit.id, Where.OUTPUT))
    if source is not None and source.where is Where.OUTPUT:
        lots -= 1
    if lots >= machine.kind.buffer_out:
        raise Refusal(Result.OUTPUT_FULL, "refused.output_full", lots=lots)


def _stop(machine: Machine, call: Call) -> None:
    if machine.state in (S.STOPPING, S.STOPPED):
        machine.latched = True
        return
    _require(machine, call, packml.STOPPABLE)
    machine.stop()


def _reset(machine: Machine, call: Call) -> None:
    _require(machine, call, {S.STOPPED})
    machine.latched = False
    machine.enter(S.RESETTING, packml.TRANSIENT_S[S.RESETTING])


def _hold(machine: Machine, call: Call) -> None:
    _require(machine, call, {S.EXECUTE})
    machine.enter(S.HOLDING, packml.TRANSIENT_S[S.HOLDING])


def _unhold(machine: Machine, call: Call) -> None:
    _require(machine, call, {S.HELD})
    machine.enter(S.UNHOLDING, packml.TRANSIENT_S[S.UNHOLDING])


def _abort(machine: Machine, call: Call) -> None:
    if machine.open_job is None:
        _require(machine, call, ())
    machine.abort_job()


def _require(machine: Machine, call: Call, states: Collection[UnitState]) -> None:
    if machine.state not in states:
        raise Refusal(Result.NOT_READY, "refused.not_ready", state=machine.state.name, verb=call.verb.name)


def _int(args: Mapping[str, Any], name: str, default: int) -> int:
    try:
        return int(args.get(name, default))
    except (TypeError, ValueError, OverflowError):
        return default


_VERBS = {
    Verb.START_JOB: _start,
    Verb.STOP: _stop,
    Verb.RESET: _reset,
    Verb.HOLD: _hold,
    Verb.UNHOLD: _unhold,
    Verb.ABORT_JOB: _abort,
}
