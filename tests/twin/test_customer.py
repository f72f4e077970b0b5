"""The customer orders by its seed, patiently and each order once, and knows what it has got."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.twin.small import BOX, START_NS, TRAY, small_plant
from zhongshu.kernel.clock import NS, wall_clock
from zhongshu.twin import customer as module
from zhongshu.twin.customer import Customer, Wishes
from zhongshu.twin.settings import CustomerTruth

_TRUTH = CustomerTruth(burst=5, orders_per_h=10, lots_min=1, lots_max=3, due_min_h=2, due_max_h=4, urgent=0.2)


class Desk:
    """An order API that answers as it is told."""

    def __init__(self, port: int) -> None:
        self.orders: list[dict[str, Any]] = []
        self.headers: list[str | None] = []
        self.answers: list[int] = []
        desk = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = desk.answers.pop(0) if desk.answers else 201
                desk.headers.append(self.headers["Authorization"])
                if status < 300:
                    desk.orders.append({"path": self.path, **body})
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Answers)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def desks() -> Iterator[Callable[[int], Desk]]:
    made: list[Desk] = []

    def make(port: int) -> Desk:
        made.append(Desk(port))
        return made[-1]

    yield make
    for desk in made:
        desk.server.shutdown()
        desk.server.server_close()


def test_orders_come_in_a_burst_and_then_by_rate() -> None:
    wishes = Wishes(small_plant(), _TRUTH, 1)
    first = wishes.due(START_NS, {})
    assert [w.id for w in first] == [f"W-{n:05d}" for n in range(1, 6)]
    later = [w for h in range(1, 21) for w in wishes.due(START_NS + h * 3600 * NS, {})]
    assert 150 < len(later) < 250
    for wish in first + later:
        assert wish.product in ("box", "tray")
        assert wish.quantity in (4, 8, 12)
    assert {w.priority for w in later} <= {1, 4, 5, 6, 7}
    for wish in first:
        hours = (wish.due_ns - START_NS) / NS / 3600
        assert (1 if wish.priority == 1 else 2) - 0.001 <= hours <= 4


def test_the_same_seed_orders_the_same_and_another_differs() -> None:
    def days(seed: int) -> list[Any]:
        wishes = Wishes(small_plant(), _TRUTH, seed)
        return [w for h in range(10) for w in wishes.due(START_NS + h * 3600 * NS, {})]

    assert days(1) == days(1)
    assert days(1) != days(2)


def test_it_goes_on_after_a_restart() -> None:
    one, other = Wishes(small_plant(), _TRUTH, 1), Wishes(small_plant(), _TRUTH, 1)
    one.due(START_NS, {})
    other.restore(json.loads(json.dumps(one.dump(START_NS))), START_NS)
    until = START_NS + 5 * 3600 * NS
    assert other.due(until, {}) == one.due(until, {})


def test_open_orders_are_kept_at_a_number() -> None:
    truth = CustomerTruth(burst=0, open_orders=8, orders_per_h=0, lots_min=1, lots_max=1, mix={"tray": 1.0})
    wishes = Wishes(small_plant(), truth, 1)
    assert len(wishes.due(START_NS, {})) == 8
    assert not wishes.due(START_NS, {})
    assert len(wishes.due(START_NS, {TRAY: 8, BOX: 100})) == 2


def test_no_orders_come_after_its_hours_not_even_after_a_restart() -> None:
    truth = _TRUTH.model_copy(update={"hours": 2.0})
    wishes = Wishes(small_plant(), truth, 1)
    wishes.due(START_NS, {})
    assert wishes.due(START_NS + 3600 * NS, {})
    again = Wishes(small_plant(), truth, 1)
    again.restore(json.loads(json.dumps(wishes.dump(START_NS + 3600 * NS))), START_NS + 3600 * NS)
    for one in (wishes, again):
        last = one.due(START_NS + 9 * 3600 * NS, {})
        assert last
        assert not one.due(START_NS + 99 * 3600 * NS, {})
    assert wishes.number == again.number


async def test_it_waits_for_the_api_and_sends_each_order_once(
    free_port: int, desks: Callable[[int], Desk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.05)
    token = tmp_path / "token"
    token.write_text("secret\n")
    wishes = Wishes(small_plant(), _TRUTH.model_copy(update={"orders_per_h": 0.0}), 1)
    buyer = Customer(wishes, f"http://127.0.0.1:{free_port}/", wall_clock(), dict, token)
    running = asyncio.create_task(buyer.run())
    await asyncio.sleep(0.2)
    desk = desks(free_port)
    desk.answers = [503, 401, 201, 409, 422]
    async with asyncio.timeout(10):
        while len(desk.orders) < 3:
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [o["id"] for o in desk.orders] == [
        "W-00001",
        "W-00004",
        "W-00005",
    ]  # 2 was there already, 3 is refused
    assert (buyer.taken, buyer.refused) == (4, 1)
    assert set(desk.headers) == {"Bearer secret"}
    order = desk.orders[0]
    assert order["path"] == "/api/orders"
    assert set(order) == {"path", "id", "product", "quantity", "due", "priority"}
    assert order["due"].endswith("+00:00")
