"""The customer: orders products by a seeded process over the brain's order API, and counts what reaches the warehouse."""

from __future__ import annotations

import asyncio
import json
import logging
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from zhongshu.kernel.clock import NS, Clock
from zhongshu.model.plant import Plant, Product
from zhongshu.twin.agenda import ns
from zhongshu.twin.chance import Stream
from zhongshu.twin.settings import CustomerTruth
from zhongshu.twin.words import say

log = logging.getLogger(__name__)

#: Wall seconds between two looks at what is to be ordered, and between tries while the API does not answer.
LOOK_S = 0.5
RETRY_S, RETRY_MAX_S = 1.0, 10.0
HTTP_S = 10.0
#: Orders that wait for the API; a customer with more stops ordering.
WAITING_MAX = 2000
HOUR_NS = 3600 * NS
#: Longer than any plant runs.
NEVER_NS = 2**62


@dataclass(frozen=True, slots=True)
class Wish:
    """One order as it goes over the wire; ``due_ns`` in plant time."""

    id: str
    product: str
    quantity: int
    due_ns: int
    priority: int

    def body(self) -> bytes:
        """JSON for ``POST /api/orders``; ``due`` is ISO 8601 in UTC."""
        due = datetime.fromtimestamp(self.due_ns / NS, UTC).isoformat(timespec="seconds")
        wish = {
            "id": self.id,
            "product": self.product,
            "quantity": self.quantity,
            "due": due,
            "priority": self.priority,
        }
        return json.dumps(wish).encode()


class Wishes:
    """What the customer wants and when: seeded, in plant time, without any I/O. Its state is a few numbers."""

    def __init__(self, plant: Plant, truth: CustomerTruth, seed: int) -> None:
        self._truth = truth
        self._stream = Stream(seed, "customer", "orders")
        sellable = [p for p in plant.products if p.sellable]
        self._mix = [(p, truth.mix.get(p.id, 0.0) if truth.mix else 1.0) for p in sellable]
        self._code = {p.code: p.id for p in plant.products}
        self._seed = seed
        self.number = 0
        self._next_ns: int | None = None
        self._closes_ns = NEVER_NS
        self._open: dict[str, int] = {}

    def due(self, now_ns: int, stored: Mapping[int, int]) -> list[Wish]:
        """The orders made up to now; ``stored`` are the pieces in the warehouse by product code."""
        made: list[Wish] = []
        if not any(weight > 0 for _, weight in self._mix):
            return made
        if self._next_ns is None:
            made += [self._wish(now_ns) for _ in range(self._truth.burst)]
            self._next_ns = now_ns + self._gap()
            self._closes_ns = now_ns + ns(3600 * self._truth.hours) if self._truth.hours else NEVER_NS
        while self._next_ns <= min(now_ns, self._closes_ns) and len(made) < WAITING_MAX:
            made.append(self._wish(self._next_ns))
            self._next_ns += self._gap()
        if now_ns > self._closes_ns:
            return made
        while self._open_orders(stored) < self._truth.open_orders and len(made) < WAITING_MAX:
            made.append(self._wish(now_ns))
        return made

    def _open_orders(self, stored: Mapping[int, int]) -> int:
        """Undelivered orders: of each product, what was ordered beyond what is stored, in average orders."""
        if not self.number:
            return 0
        delivered = {self._code[code]: pieces for code, pieces in stored.items() if code in self._code}
        total = sum(self._open.values())
        missing = sum(max(0, wanted - delivered.get(product, 0)) for product, wanted in self._open.items())
        return round(self.number * missing / total) if total else 0

    def _gap(self) -> int:
        per_h = self._truth.orders_per_h
        return max(1, ns(self._stream.exponential(3600 / per_h))) if per_h else NEVER_NS

    def _wish(self, at_ns: int) -> Wish:
        truth, draw = self._truth, self._stream
        product = self._product()
        lots = truth.lots_min + draw.below(truth.lots_max - truth.lots_min + 1)
        hours = truth.due_min_h + draw.uniform() * (truth.due_max_h - truth.due_min_h)
        urgent = draw.happens(truth.urgent)
        self.number += 1
        quantity = lots * product.lot_size
        self._open[product.id] = self._open.get(product.id, 0) + quantity
        priority = 1 if urgent else 4 + draw.below(4)
        due_ns = at_ns + ns(3600 * (hours / 2 if urgent else hours))
        return Wish(f"W-{self.number:05d}", product.id, quantity, due_ns // NS * NS, priority)

    def _product(self) -> Product:
        left = self._stream.uniform() * sum(weight for _, weight in self._mix)
        for product, weight in self._mix:
            left -= weight
            if left < 0:
                return product
        return self._mix[-1][0]

    def dump(self, now_ns: int) -> dict[str, Any]:
        """Plain values for a snapshot; the next arrival as time left."""
        left = None if self._next_ns is None else self._next_ns - now_ns
        closes = None if self._closes_ns == NEVER_NS else self._closes_ns - now_ns
        return {
            "number": self.number,
            "drawn": self._stream.drawn,
            "left_ns": left,
            "closes_ns": closes,
            "open": dict(self._open),
        }

    def restore(self, state: Mapping[str, Any], now_ns: int) -> None:
        """Go on where ``dump`` was."""
        self.number, self._open = state["number"], dict(state["open"])
        self._stream = Stream(self._seed, "customer", "orders", state["drawn"])
        self._next_ns = None if state["left_ns"] is None else now_ns + state["left_ns"]
        closes = state.get("closes_ns")
        self._closes_ns = NEVER_NS if closes is None else now_ns + closes


class Customer:
    """Sends the wishes, oldest first, each until it is taken or refused for good."""

    def __init__(
        self,
        wishes: Wishes,
        url: str,
        clock: Clock,
        stored: Callable[[], Mapping[int, int]],
        token: Path | None = None,
    ) -> None:
        """``url`` is the API's base; ``token`` a file that holds the bearer token, read again at every try."""
        self.wishes = wishes
        self._url = url.rstrip("/") + "/api/orders"
        self._clock, self._stored, self._token = clock, stored, token
        self._waiting: deque[Wish] = deque()
        self.taken = self.refused = 0

    async def run(self) -> None:
        """Order for ever."""
        pause_s = RETRY_S
        silent = False
        while True:
            if len(self._waiting) < WAITING_MAX:
                self._waiting += self.wishes.due(self._clock.now_ns(), self._stored())
            if not self._waiting:
                await self._clock.sleep_wall(LOOK_S)
                continue
            answer = await asyncio.to_thread(self._post, self._waiting[0])
            if answer is None:
                self._waiting.popleft()
                pause_s, silent = RETRY_S, False
                continue
            if not silent:
                log.info("%s", say("customer.waiting", reason=answer))
            silent = True
            await self._clock.sleep_wall(pause_s)
            pause_s = min(RETRY_MAX_S, pause_s * 1.5)

    def _post(self, wish: Wish) -> str | None:
        """None when it was taken or refused for good, else why it should be tried again. Blocks."""
        headers = {"Content-Type": "application/json"}
        if self._token is not None and self._token.exists():
            headers["Authorization"] = f"Bearer {self._token.read_text(encoding='utf-8').strip()}"
        request = urllib.request.Request(self._url, wish.body(), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=HTTP_S) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return self._judge(wish, error.code, error.read(500).decode(errors="replace"))
        except (OSError, ValueError) as error:
            return str(error)
        self.taken += 1
        return None

    def _judge(self, wish: Wish, status: int, text: str) -> str | None:
        """409: it has it already. 400 and 422: never. Everything else may mend itself."""
        if status == 409:
            self.taken += 1
            return None
        if status in (400, 422):
            self.refused += 1
            log.warning("%s", say("customer.refused", order=wish.id, reason=f"{status} {text}"))
            return None
        return f"{status} {text[:100]}"

    def dump(self) -> dict[str, Any]:
        """Plain values for a snapshot; orders not yet taken go along, with the time left until they are due."""
        now = self._clock.now_ns()
        waiting = [{**asdict(wish), "due_ns": wish.due_ns - now} for wish in self._waiting]
        return {"wishes": self.wishes.dump(now), "waiting": waiting}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``dump`` was."""
        now = self._clock.now_ns()
        self.wishes.restore(state["wishes"], now)
        self._waiting = deque(Wish(**{**raw, "due_ns": raw["due_ns"] + now}) for raw in state["waiting"])
