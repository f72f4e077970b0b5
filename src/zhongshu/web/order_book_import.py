"""A file of orders is judged line by line against the plant and the book, shown, and taken in whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from zhongshu.kernel.store.orders import OrderRefused, check_order, receive_order
from zhongshu.kernel.store.signed import Signed
from zhongshu.kernel.store.tables import WorkOrder as OrderRow
from zhongshu.model.orders import WorkOrder
from zhongshu.model.plant import Plant
from zhongshu.web.words import words

ORDERS_MAX = 5000
PRIORITY = 5
NS = 1_000_000_000
FORMS = ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%d.%m.%Y %H:%M", "%d.%m.%Y")
#: A due date without a time of day means the end of that day.
DAY_FORMS = ("%Y/%m/%d", "%d.%m.%Y")


class ImportProblem(ValueError):
    """The file as a whole can't be read; ``both`` says why in both languages."""

    def __init__(self, key: str, **values: Any) -> None:
        self.both = said(key, **values)
        super().__init__(self.both["en"])


@dataclass(frozen=True, slots=True)
class Asked:
    """An order as a file asks for it, still text; ``line`` is where it stands, ``problem`` a key for what it can't be."""

    line: int
    id: str
    product: str
    quantity: str
    due: str
    priority: str = ""
    release: str = ""
    problem: str = ""


@dataclass(slots=True)
class Judged:
    """What an asked order comes to: ``order`` where it can be taken, ``known`` where it is in the book already."""

    asked: Asked
    order: WorkOrder | None = None
    known: bool = False
    errors: list[dict[str, str]] = field(default_factory=list)


def said(key: str, **values: Any) -> dict[str, str]:
    """A text of the control room in both languages."""
    return {language: words().text(key, language, **values) for language in ("zh", "en")}


def judge(session: Session, plant: Plant, asked: list[Asked]) -> list[Judged]:
    """Every order of a file with all that is wrong with it; raises ImportProblem for too many or none."""
    if not asked:
        raise ImportProblem("import.empty")
    if len(asked) > ORDERS_MAX:
        raise ImportProblem("import.too-many", n=len(asked), limit=ORDERS_MAX)
    seen: dict[str, int] = {}
    judged = []
    for each in asked:
        one = Judged(each)
        order = _order(plant, one)
        first = seen.setdefault(each.id, each.line)
        if each.id and first != each.line:
            one.errors.append(said("import.twice", order=each.id[:64], line=first))
        if order is not None and not one.errors:
            _against_book(session, plant, one, order)
        judged.append(one)
    return judged


def take(session: Session, plant: Plant, judged: list[Judged], signed: Signed) -> int:
    """Take all of them in, in the caller's transaction; returns how many are new. Raises OrderRefused."""
    taken = 0
    for one in judged:
        assert one.order is not None  # whoever calls has seen that none has an error
        taken += receive_order(
            session, plant, one.order, by=signed.by, now_ns=signed.now_ns, stage=signed.stage
        )
    return taken


def _order(plant: Plant, one: Judged) -> WorkOrder | None:
    """All mistakes of a line at once, so that a person need not come back for each."""
    asked, numbers = one.asked, {}
    if asked.problem:
        one.errors.append(said(asked.problem))
        return None
    for name, text, default in (
        ("quantity", asked.quantity, None),
        ("priority", asked.priority, PRIORITY),
    ):
        value = default if not text and default is not None else _whole(text)
        if value is None:
            one.errors.append(said("import.number", field=name, value=text[:40]))
        numbers[name] = value or 0
    times = {}
    for name, text in (("due", asked.due), ("release", asked.release)):
        at_ns = 0 if not text and name == "release" else moment_of(text, plant.timezone, end=name == "due")
        if at_ns is None:
            one.errors.append(said("import.time", field=name, value=text[:40]))
        times[name] = at_ns or 0
    if one.errors:
        return None
    order = WorkOrder(
        asked.id, asked.product, numbers["quantity"], times["due"], times["release"], numbers["priority"]
    )
    try:
        check_order(plant, order)
    except OrderRefused as error:
        one.errors.append(error.both)
        return None
    return order


def _against_book(session: Session, plant: Plant, one: Judged, order: WorkOrder) -> None:
    known = session.get(OrderRow, (plant.id, order.id))
    if known is None:
        one.order = order
    elif (known.product, known.quantity, known.due_ns) == (order.product, order.quantity, order.due_ns):
        one.order, one.known = order, True
    else:
        refused = OrderRefused("order.known", order=order.id, quantity=known.quantity, product=known.product)
        one.errors.append(refused.both)


def _whole(text: str) -> int | None:
    """A whole number, also as a spreadsheet writes it (``20.0``); None where it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return int(value) if abs(value) < 1e9 and value == int(value) else None


def moment_of(text: str, timezone: str, *, end: bool) -> int | None:
    """ns of plant time from the ways people write a time; a bare day means its last moment where ``end``."""
    at, day = _read_time(text)
    if at is None:
        return None
    zoned = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(timezone))
    if day and end:
        zoned = zoned.replace(hour=23, minute=59, second=59)
    try:
        at_ns = int(zoned.timestamp()) * NS
    except (OverflowError, ValueError):
        return None
    return at_ns if 0 < at_ns < 2**62 else None


def _read_time(text: str) -> tuple[datetime | None, bool]:
    try:
        return datetime.fromisoformat(text), len(text) <= 10
    except ValueError:
        pass
    for form in FORMS:
        try:
            return datetime.strptime(text, form), form in DAY_FORMS  # noqa: DTZ007 - the zone is the plant's
        except ValueError:
            continue
    return None, False
