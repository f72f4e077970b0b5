"""Pieces never appear or vanish: what was created is on the floor, scrapped, stored or built in, whatever happens."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.twin.small import BOX, BUILD, PACK, PART, STAMP, TRAY, WASH, WILD, Bench
from zhongshu.model.commands import Verb
from zhongshu.twin.lots import Where

_LANE = [f"lane-{n:02}" for n in range(1, 7)]
_STEPS = [
    ("press-1", PART, STAMP),
    ("press-2", TRAY, STAMP),
    ("wash", PART, WASH),
    ("build", BOX, BUILD),
    ("pack", BOX, PACK),
    ("pack", TRAY, PACK),
]
_UNITS = ["press-1", "press-2", "wash", "build", "pack"]
_command = st.one_of(
    st.tuples(st.just("flow"), st.just(""), st.integers(0, 12)),
    st.tuples(st.just("start"), st.sampled_from(_STEPS), st.integers(1, 12)),
    st.tuples(st.just("abort"), st.sampled_from(_UNITS), st.just(0)),
    st.tuples(st.just("break"), st.sampled_from(_UNITS), st.just(0)),
    st.tuples(
        st.just("carry"), st.tuples(st.sampled_from(_UNITS), st.sampled_from(_UNITS)), st.integers(1, 12)
    ),
    st.tuples(st.just("cancel"), st.sampled_from(["agv-1", "agv-2"]), st.just(0)),
    st.tuples(st.just("wait"), st.just(""), st.integers(1, 300)),
)


def _route(start: str, *stops: str) -> list[str]:
    """Along the lane from stop to stop."""
    route = [start]
    for stop in stops:
        here, there = _LANE.index(route[-1]), _LANE.index(stop)
        step = 1 if there > here else -1
        route += [_LANE[i] for i in range(here + step, there + step, step)] if there != here else []
    return route


def _do(bench: Bench, what: str, who: object, number: int) -> None:
    match what, who:
        case "start", (str(unit), int(product), int(operation)):
            bench.start(unit, number, product, operation)
        case "flow", _:
            _flow(bench, number)
        case "abort", str(unit):
            bench.ask(unit, Verb.ABORT_JOB)
        case "break", str(unit):
            bench.floor.machines[unit].break_down()
        case "carry", (str(pick), str(drop)):
            units = bench.floor.plant.unit_of
            for vehicle in bench.floor.vehicles.values():
                first = _route(vehicle.node, units[pick].station)
                route = _route(vehicle.node, units[pick].station, units[drop].station)
                args = {"lot": number, "route": route, "pick_at": len(first) - 1, "drop_at": len(route) - 1}
                bench.ask(vehicle.unit.id, Verb.TRANSPORT, **args, pick_unit=pick, drop_unit=drop)
        case "cancel", str(vehicle_id):
            bench.ask(vehicle_id, Verb.CANCEL_TRANSPORT)
        case _:
            bench.wait(number)


def _flow(bench: Bench, number: int) -> None:
    """Bring some lot that waits behind a machine to the next unit of its routing, or to where it is built in."""
    waiting = [lot for lot in bench.floor.shop.stock.lots.values() if lot.where is Where.OUTPUT]
    if waiting:
        lot = waiting[number % len(waiting)]
        step = bench.floor.shop.recipes.step(lot.product, lot.done)
        drop = "build" if step is None else {WASH: "wash", PACK: "pack"}[step.operation]
        _do(bench, "carry", (lot.unit, drop), lot.number)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_command, max_size=60), st.integers(0, 3))
def test_pieces_are_conserved(commands: list[tuple[str, object, int]], seed: int) -> None:
    bench = Bench(WILD, seed)
    for what, who, number in commands:
        _do(bench, what, who, number)
        _check(bench)
    bench.wait(7200)
    _check(bench)


def _check(bench: Bench) -> None:
    stock = bench.floor.shop.stock
    assert set(bench.floor.unaccounted().values()) <= {0}
    lying = [n for side in (stock.inputs, stock.outputs) for lots in side.values() for n in lots]
    assert len(lying) == len(set(lying))
    for lot in stock.lots.values():
        assert lot.good > 0 or lot.where is Where.MACHINE
        assert (lot.number in lying) == (lot.where in (Where.INPUT, Where.OUTPUT))
        if lot.where is Where.VEHICLE:
            assert bench.floor.vehicles[lot.unit].load == lot.number
    loads = [v.load for v in bench.floor.vehicles.values() if v.load]
    assert len(loads) == len(set(loads))
    for number in loads:
        assert stock.lots[number].where is Where.VEHICLE
    for unit, lots in stock.outputs.items():
        assert len(lots) <= bench.floor.machines[unit].kind.buffer_out
    for own in stock.bins.values():
        assert min(own.values(), default=0) >= 0
