"""What planning says of machines has its consequence on the floor: speed, colours, waits that were too long, conveyors."""

from __future__ import annotations

from dataclasses import replace

from tests.twin.small import BOX, PACK, PART, STAMP, TRAY, WASH, Bench, small_plant
from zhongshu.model.commands import Result
from zhongshu.model.plant import Plant, Product, Step
from zhongshu.twin.floor import Floor
from zhongshu.twin.lots import Where


def bench_of(plant: Plant) -> Bench:
    """A stopwatch on a floor of another plant."""
    bench = Bench()
    bench.floor = Floor(plant, bench.floor.truth, 1, bench.floor.shop.now_ns, bench._book)
    return bench


def with_step(code: int, operation: int, **more: object) -> Plant:
    """The small plant with one step of one product changed."""

    def changed(product: Product) -> Product:
        def new(step: Step) -> Step:
            same = product.code == code and step.operation == operation
            return replace(step, **more) if same else step  # type: ignore[arg-type]

        return replace(product, routing=tuple(map(new, product.routing)))

    plant = small_plant()
    return replace(plant, products=tuple(map(changed, plant.products)))


def bring(bench: Bench, lot: int, unit: str) -> None:
    stock = bench.floor.shop.stock
    stock.move(stock.lots[lot], Where.INPUT, unit)


def good_after(wait_s: float, plant: Plant) -> int:
    """A stamped tray waits so long before it is packed: so many of its four pieces are good then."""
    bench = bench_of(plant)
    assert bench.start("press-1", 7, TRAY, STAMP) is Result.OK
    bench.wait(101.5)
    (done,) = [e for e in bench.of("job") if e["end"] == "done"]
    bench.wait(done["t_s"] + wait_s - 101.5)
    bring(bench, 7, "pack")
    assert bench.start("pack", 7, TRAY, PACK) is Result.OK
    bench.wait(600)
    return int([e for e in bench.of("job") if e["end"] == "done"][-1]["good"])


def test_pieces_that_waited_too_long_fail() -> None:
    plant = with_step(TRAY, PACK, max_wait_s=300.0)
    truth = Bench().floor.truth
    assert truth.of("packer").stale_scrap == 0.5
    assert good_after(299, plant) == 4
    assert good_after(301, plant) < 4
    assert good_after(5000, small_plant()) == 4, "without a limit nothing fails"


def test_a_wait_goes_on_through_a_restart() -> None:
    bench = bench_of(with_step(TRAY, PACK, max_wait_s=300.0))
    bench.start("press-1", 7, TRAY, STAMP)
    bench.wait(200)
    state = bench.floor.dump()
    passed = bench.floor.shop.now_ns - bench.floor.shop.stock.lots[7].ended_ns
    later = Floor(bench.floor.plant, bench.floor.truth, 1, bench.floor.shop.now_ns + 10**15)
    later.restore(state)
    assert later.shop.now_ns - later.shop.stock.lots[7].ended_ns == passed


def test_older_units_are_slower() -> None:
    plant = small_plant()
    slow = replace(plant, units=tuple(replace(u, speed=0.5) if u.id == "press-1" else u for u in plant.units))
    ends = []
    for unit in ("press-1", "press-2"):
        bench = bench_of(slow)
        bench.start(unit, 7, PART, STAMP)
        bench.wait(600)
        ends += [e["t_s"] for e in bench.of("job") if e["end"] == "done"]
    assert ends == [60 + 80 + 1, 60 + 40 + 1]


def test_set_ups_go_by_the_family_of_the_step() -> None:
    bench = bench_of(with_step(TRAY, STAMP, family="flat"))
    for lot, product in ((1, PART), (2, TRAY)):
        bench.start("press-1", lot, product, STAMP)
        bench.wait(600)
        bring(bench, lot, "wash")
    begins = [e["t_s"] for e in bench.of("state") if e["state"] == "STARTING"]
    works = [e["t_s"] for e in bench.of("state") if e["state"] == "EXECUTE"]
    assert [round(b - a) for a, b in zip(begins, works, strict=True)] == [60, 1], "the tray is flat here"


def test_a_conveyor_needs_no_vehicle() -> None:
    refused, taken = bench_of(small_plant()), bench_of(with_step(PART, WASH, transfer=2))
    for bench, result in ((refused, Result.NO_MATERIAL), (taken, Result.OK)):
        bench.start("press-1", 7, PART, STAMP)
        bench.wait(600)
        assert bench.start("wash", 7, PART, WASH) is result
    bench = taken
    bench.wait(600)
    lot = bench.floor.shop.stock.lots[7]
    assert (lot.unit, lot.where, lot.done, lot.good) == ("wash", Where.OUTPUT, 2, 4)
    assert bench.floor.shop.stock.buffer("press-1", Where.OUTPUT) == []
    assert bench.start("pack", 7, BOX, PACK) is Result.NO_MATERIAL
