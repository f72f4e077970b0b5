"""First-come dispatch on an imaginary floor: what must hold whatever happens, and that orders get through."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decide.imaginary_floor import ImaginaryFloor
from tests.decide.small_plant import assembled, make_plant
from zhongshu.decide.work import LotStatus

CHAIN = {"cut-1": "a-cut", "cut-2": "a-cut", "bend-1": "b-bend", "pack-1": "c-pack"}
TREE = {
    "cut-1": "a-cut",
    "bend-1": "b-bend",
    "wind-1": "c-wind",
    "build-1": "d-build",
    "build-2": "d-build",
    "mount-1": "e-mount",
}


def _tree_floor(seed: int, **chances: float) -> ImaginaryFloor:
    parts = {"body": ["a-cut", "b-bend"], "lid": ["a-cut"], "motor": ["c-wind"]}
    products = assembled(["d-build", "e-mount"], parts, late_parts=("motor",))
    return ImaginaryFloor(make_plant(TREE, vehicles=2, products=products), seed, **chances)


def test_an_order_passes_every_operation_once_and_in_order() -> None:
    floor = ImaginaryFloor(make_plant(CHAIN), seed=1)
    floor.order("W-1", 12)
    floor.run(400)
    assert floor.orders["W-1"].status == "done"
    assert floor.orders["W-1"].done == 12
    by_lot = Counter(floor.processed)
    assert set(by_lot.values()) == {1}
    for lot in {number for number, _ in floor.processed}:
        assert [operation for number, operation in floor.processed if number == lot] == [10, 20, 30]


def test_parts_are_built_before_the_product_and_consumed_by_it() -> None:
    floor = _tree_floor(seed=2)
    floor.order("W-1", 5)
    floor.run(300)
    assert floor.orders["W-1"].done == 5
    statuses = Counter(lot.status for lot in floor.work.lots.values())
    assert statuses == {LotStatus.STORED: 1, LotStatus.CONSUMED: 3}


def test_first_come_is_first_served() -> None:
    floor = ImaginaryFloor(make_plant({"cut-1": "a-cut"}), seed=3)
    floor.order("W-1", 5)
    floor.turn()
    floor.order("W-2", 5)
    floor.order("W-3", 5)
    floor.run(200)
    assert [number for number, _ in floor.processed] == [1, 2, 3]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    quantities=st.lists(st.integers(1, 30), min_size=1, max_size=8),
    refusals=st.sampled_from([0.0, 0.1, 0.3]),
    scrap=st.sampled_from([0.0, 0.05]),
)
def test_every_order_ends_and_nothing_is_double_booked(
    seed: int, quantities: list[int], refusals: float, scrap: float
) -> None:
    floor = _tree_floor(seed, refusals=refusals, scrap=scrap)
    for i, quantity in enumerate(quantities):
        floor.order(f"W-{i}", quantity)
    floor.run(3000)
    held = [lot for lot in floor.work.lots.values() if lot.status is LotStatus.HELD]
    unfinished = {o.id: o.status for o in floor.orders.values() if o.status != "done"}
    assert not unfinished or held, (unfinished, list(floor.work.lots.values()))


def test_a_unit_in_local_mode_gets_nothing() -> None:
    floor = ImaginaryFloor(make_plant(CHAIN), seed=4)
    floor.work.states["cut-1"] = ("IDLE", "LOCAL")
    floor.order("W-1", 10)
    floor.run(300)
    assert floor.orders["W-1"].status == "done"
    assert "cut-1" not in {unit for unit, _ in floor.lying.values()}
