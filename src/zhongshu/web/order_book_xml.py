"""B2MML (ISA-95 in XML): schedules of an ERP come in as orders, what was made and used up goes back as performance.

Of version 7, and of those before where they agree: namespaces are not looked at, only the names of elements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from zhongshu.web.order_book_import import Asked, ImportProblem

NAMESPACE = "http://www.mesa.org/xml/B2MML"
DEPTH_MAX = 40
ELEMENTS_MAX = 400_000
SCHEDULES = ("OperationsSchedule", "ProductionSchedule")
REQUESTS = ("OperationsRequest", "ProductionRequest")
SEGMENTS = ("SegmentRequirement", "SegmentRequirementChild")
MATERIALS = ("MaterialRequirement", "MaterialProducedRequirement")
#: Uses of a material that are not what is ordered.
USED = (
    "consumed",
    "consumable",
    "material consumed",
    "by-product produced",
    "co-product produced",
    "yield produced",
)
#: Kinds of operations whose requests are no orders of ours.
OTHERS = ("maintenance", "quality", "inventory")
PRODUCED = "<MaterialUse>Produced</MaterialUse>"
CONSUMED = "<MaterialUse>Consumed</MaterialUse>"
#: The standard has no word of its own for what was spoilt.
SCRAPPED = '<MaterialUse OtherValue="Scrap">Other</MaterialUse>'
#: The standard's words for how far an order is.
STATES = {
    "received": "Ready",
    "released": "Running",
    "held": "Holding",
    "cancelling": "Aborted",
    "cancelled": "Aborted",
    "done": "Completed",
}


@dataclass(slots=True)
class Element:
    """One element: its name without namespace, the line it began on, its text and what is in it."""

    name: str
    line: int
    text: str = ""
    inside: list[Element] = field(default_factory=list)

    def first(self, name: str) -> str:
        """The text of the first child of a name, "" where there is none."""
        return next((each.text.strip() for each in self.inside if each.name == name), "")

    def all(self, *names: str) -> Iterator[Element]:
        """Children of these names."""
        return (each for each in self.inside if each.name in names)


def parse(data: bytes) -> Element:
    """The document's root; raises ImportProblem. A document type or entity of its own is refused, so none is expanded."""
    root = Element("", 0)
    stack, count = [root], 0
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def begin(name: str, _attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(stack) > DEPTH_MAX or count > ELEMENTS_MAX:
            raise ImportProblem("import.xml-deep")
        element = Element(name.rpartition(" ")[2], parser.CurrentLineNumber)
        stack[-1].inside.append(element)
        stack.append(element)

    def end(_name: str) -> None:
        stack.pop()

    def text(some: str) -> None:
        stack[-1].text += some

    def refuse(*_: object) -> int:
        raise ImportProblem("import.xml-dtd")

    parser.StartElementHandler, parser.CharacterDataHandler = begin, text
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, ImportProblem):
            raise
        raise ImportProblem("import.unreadable", error=str(error)) from error
    return root.inside[0]


def read_b2mml(data: bytes) -> list[Asked]:
    """Every request of the schedules in it as an order; raises ImportProblem."""
    schedules = list(_find(parse(data), SCHEDULES))
    if not schedules:
        raise ImportProblem("import.no-schedule")
    return [_asked(request, schedule) for schedule in schedules for request in schedule.all(*REQUESTS)]


def _asked(request: Element, schedule: Element) -> Asked:
    segments = list(_find_inside(request, SEGMENTS))
    made = [
        material
        for segment in segments
        for material in segment.all(*MATERIALS)
        if material.first("MaterialUse").lower() not in USED
    ]
    material = next(
        (m for m in made if m.first("MaterialUse").lower() == "produced" or "Produced" in m.name),
        made[0] if made else Element("", request.line),
    )
    latest = [end for s in segments if (end := s.first("LatestEndTime"))]
    earliest = [start for s in segments if (start := s.first("EarliestStartTime"))]
    amount = next(material.all("Quantity"), Element("", request.line))
    return Asked(
        line=request.line,
        id=request.first("ID"),
        product=material.first("MaterialDefinitionID") or request.first("OperationsDefinitionID"),
        quantity=amount.first("QuantityString") or amount.text.strip(),
        due=request.first("EndTime") or max(latest, default="") or schedule.first("EndTime"),
        priority=request.first("Priority"),
        release=request.first("StartTime") or min(earliest, default=""),
        problem="import.not-production" if request.first("OperationsType").lower() in OTHERS else "",
    )


def _find(element: Element, names: tuple[str, ...]) -> Iterator[Element]:
    """The outermost elements of these names, itself included."""
    if element.name in names:
        yield element
        return
    for each in element.inside:
        yield from _find(each, names)


def _find_inside(element: Element, names: tuple[str, ...]) -> Iterator[Element]:
    """All elements of these names below, however deep."""
    for each in element.inside:
        if each.name in names:
            yield each
        yield from _find_inside(each, names)


def write_performance(name: str, published: str, orders: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """OperationsPerformance: for each order its state, pieces made and scrapped, and what was used up for them.

    ``orders`` hold id, product, status, done, scrapped, start, end (ISO texts or ""), used: {material: (quantity, unit)}.
    """
    yield (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<OperationsPerformance xmlns="{NAMESPACE}">\n'
        f"  <ID>{_text(name)}</ID>\n  <PublishedDate>{published}</PublishedDate>\n"
        "  <OperationsType>Production</OperationsType>\n"
    ).encode()
    for order in orders:
        yield _response(order).encode()
    yield b"</OperationsPerformance>\n"


def _response(order: dict[str, Any]) -> str:
    actuals = [_material(order["product"], PRODUCED, order["done"], "pcs")]
    if order["scrapped"]:
        actuals.append(_material(order["product"], SCRAPPED, order["scrapped"], "pcs"))
    actuals += [_material(name, CONSUMED, amount, unit) for name, (amount, unit) in order["used"].items()]
    times = "".join(
        f"      <{tag}>{order[key]}</{tag}>\n"
        for tag, key in (("ActualStartTime", "start"), ("ActualEndTime", "end"))
        if order[key]
    )
    number, state = _text(order["id"]), STATES.get(order["status"], "Ready")
    return (
        f"  <OperationsResponse>\n    <ID>{number}</ID>\n    <OperationsType>Production</OperationsType>\n"
        f"    <OperationsRequestID>{number}</OperationsRequestID>\n"
        f"    <ResponseState>{state}</ResponseState>\n"
        f"    <SegmentResponse>\n      <ID>{number}</ID>\n{times}{''.join(actuals)}    </SegmentResponse>\n"
        "  </OperationsResponse>\n"
    )


def _material(name: str, use: str, amount: float, unit: str) -> str:
    return (
        f"      <MaterialActual><MaterialDefinitionID>{_text(name)}</MaterialDefinitionID>{use}"
        f"<Quantity><QuantityString>{amount:.12g}</QuantityString><DataType>decimal</DataType>"
        f"<UnitOfMeasure>{_text(unit)}</UnitOfMeasure></Quantity></MaterialActual>\n"
    )


def _text(value: str) -> str:
    """As XML may hold it: control characters are no part of it at all."""
    return escape("".join(c if c.isprintable() else "\ufffd" for c in value))
