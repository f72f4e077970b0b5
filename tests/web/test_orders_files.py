"""Orders by the file: CSV and B2MML as people and ERPs write them, hostile XML, all or nothing, confirmations back out."""

from __future__ import annotations

import csv
import io
import itertools
from dataclasses import replace
from datetime import datetime
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from tests.decide.small_plant import assembled, make_plant
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.signed import Signed
from zhongshu.kernel.store.tables import Lot, Outgoing, WorkOrder
from zhongshu.model.planning import Material, Supply
from zhongshu.model.plant import Plant
from zhongshu.web.api.order_files import read_file
from zhongshu.web.order_book_csv import write_csv
from zhongshu.web.order_book_import import ImportProblem, Judged, judge, moment_of, take
from zhongshu.web.order_book_used import performances
from zhongshu.web.order_book_xml import NAMESPACE, write_performance

NS = 1_000_000_000
UNITS = {"cut-1": "a-cut", "build-1": "d-build", "mount-1": "e-mount"}
ZONE = ZoneInfo("Asia/Shanghai")

B2MML = """<?xml version="1.0" encoding="UTF-8"?>
<ProcessOperationsSchedule xmlns="http://www.mesa.org/xml/B2MML" releaseID="1">
 <ApplicationArea/><DataArea><Process/>
 <OperationsSchedule><ID>S-7</ID><EndTime>2099-01-09T00:00:00+08:00</EndTime>
  <OperationsRequest><ID>E-1</ID><StartTime>2099-01-01T08:00:00+08:00</StartTime><EndTime>2099-01-02T08:00:00Z</EndTime>
   <OperationsType>Production</OperationsType><Priority>2</Priority>
   <SegmentRequirement><ID>1</ID>
    <MaterialRequirement><MaterialDefinitionID>steel</MaterialDefinitionID><MaterialUse>Consumed</MaterialUse>
     <Quantity><QuantityString>99</QuantityString></Quantity></MaterialRequirement>
    <MaterialRequirement><MaterialDefinitionID>hood</MaterialDefinitionID><MaterialUse>Produced</MaterialUse>
     <Quantity><QuantityString>40.0</QuantityString><DataType>decimal</DataType><UnitOfMeasure>pcs</UnitOfMeasure></Quantity>
    </MaterialRequirement></SegmentRequirement></OperationsRequest>
  <OperationsRequest><ID>E-2</ID><SegmentRequirement><ID>1</ID><EarliestStartTime>2099-01-03T08:00:00+08:00</EarliestStartTime>
   <LatestEndTime>2099-01-04T08:00:00+08:00</LatestEndTime>
   <MaterialRequirement><MaterialDefinitionID>hood</MaterialDefinitionID><Quantity><QuantityString>5</QuantityString></Quantity>
   </MaterialRequirement></SegmentRequirement></OperationsRequest>
 </OperationsSchedule></DataArea></ProcessOperationsSchedule>"""


def small() -> Plant:
    top, *parts = assembled(["d-build", "e-mount"], {"body": ["a-cut"]})
    supplies = (Supply("steel", 1.5, 10), Supply("carton", 1, 20))
    steel = (Material("steel", top.name, "kg", 0), Material("carton", top.name, "", 0))
    plant = make_plant(UNITS, products=(replace(top, materials=supplies), *parts))
    return replace(plant, materials=steel)


PLANT = small()


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()) * NS


def judged(store: Store, body: bytes) -> list[Judged]:
    with store.read() as session:
        return judge(session, PLANT, read_file(body)[1])


def taken(store: Store, body: bytes) -> int:
    with store.begin() as session:
        return take(session, PLANT, judge(session, PLANT, read_file(body)[1]), Signed("Li Na", 1))


@pytest.mark.parametrize("body", [
    "id,product,quantity,due,priority\r\nA-1,hood,20,2099-01-02 08:00,3\r\n",
    "\ufeff工单;产品;数量;交期;优先级\nA-1;hood;20.0;2099/01/02 08:00;3\n\n",
    "Due\tNote\tProduct\tQty\tOrder\tPrio\n2099-01-02T08:00:00+08:00\tx\thood\t20\tA-1\t3\n",
    '"ID","Product","Quantity","Due","Priority"\n"A-1","hood","20","02.01.2099 08:00","3"',
])  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
def test_a_table_is_read_however_offices_write_it(store: Store, body: str, encoding: str) -> None:
    text = body if encoding == "utf-8" else body.removeprefix("\ufeff")
    (one,) = judged(store, text.encode(encoding))
    assert one.errors == [] and one.asked.line == 2
    assert one.order is not None
    assert (one.order.id, one.order.product, one.order.quantity, one.order.priority) == ("A-1", "hood", 20, 3)
    assert one.order.due_ns == at("2099-01-02T08:00")


def test_a_bare_day_ends_with_the_day_and_defaults_hold(store: Store) -> None:
    (one,) = judged(store, b"id,product,qty,due,release\nA,hood,1,2099-01-02,2099-01-01")
    assert one.order is not None
    assert one.order.due_ns == at("2099-01-02T23:59:59") and one.order.release_ns == at("2099-01-01T00:00")
    assert one.order.priority == 5


def test_every_mistake_of_every_line_is_told_and_nothing_is_taken_in(store: Store) -> None:
    body = "id,product,quantity,due\nA,hood,2,2099-01-02\nB,nonsense,1,2099-01-02\nC,hood,x,soon\nA,hood,2,2099-01-02\n,hood,1,2099-01-02\nD,hood,0,2099-01-02"
    some = judged(store, body.encode())
    assert [(one.asked.line, len(one.errors)) for one in some] == [
        (2, 0),
        (3, 1),
        (4, 2),
        (5, 1),
        (6, 1),
        (7, 1),
    ]
    told = " ".join(error["en"] for one in some for error in one.errors)
    for words in (
        "nonsense",
        "'x' is no whole number",
        "'soon' is no time",
        "stands in line 2",
        "needs an id",
        "from 1 to",
    ):
        assert words in told
    assert all(error["zh"] != error["en"] for one in some for error in one.errors)


def test_orders_are_taken_in_with_their_events_and_known_ones_once(store: Store) -> None:
    body = b"id,product,quantity,due\nA,hood,2,2099-01-02\nB,hood,3,2099-01-03"
    assert taken(store, body) == 2
    assert [one.known for one in judged(store, body)] == [True, True]
    assert taken(store, body) == 0
    with store.read() as session:
        rows = session.scalars(select(WorkOrder).order_by(WorkOrder.id)).all()
        assert [(r.id, r.quantity, r.created_by, r.status) for r in rows] == [
            ("A", 2, "Li Na", "received"),
            ("B", 3, "Li Na", "received"),
        ]
        assert session.scalar(select(func.count()).select_from(Outgoing)) == 2
    (other, _) = judged(store, body.replace(b"A,hood,2", b"A,hood,9"))
    assert "exists already" in other.errors[0]["en"]


@pytest.mark.parametrize(
    "body", [b"", b"  \n \n", b"id,product\nA,hood", b"a\nb", b"\xff\xfe\x00", b"id,product,quantity,due\n"]
)
def test_a_table_without_orders_says_what_it_lacks(store: Store, body: bytes) -> None:
    with pytest.raises(ImportProblem):
        judged(store, body)


def test_too_many_orders_are_refused(store: Store) -> None:
    lines = "".join(f"A-{n},hood,1,2099-01-02\n" for n in range(5001))
    with pytest.raises(ImportProblem, match="5000"):
        judged(store, f"id,product,quantity,due\n{lines}".encode())


def test_a_schedule_of_an_erp_is_read(store: Store) -> None:
    first, second = judged(store, B2MML.encode())
    assert first.errors == second.errors == []
    assert first.order is not None and second.order is not None
    order = first.order
    assert (order.id, order.product, order.quantity, order.priority) == ("E-1", "hood", 40, 2)
    assert (order.release_ns, order.due_ns) == (at("2099-01-01T08:00"), at("2099-01-02T16:00"))
    order = second.order
    assert (order.quantity, order.priority, order.release_ns, order.due_ns) == (
        5,
        5,
        at("2099-01-03T08:00"),
        at("2099-01-04T08:00"),
    )
    assert first.asked.line == 5


def test_an_older_schedule_and_a_foreign_prefix_are_read_too(store: Store) -> None:
    old = """<b:ProductionSchedule xmlns:b="http://www.wbf.org/xml/B2MML-V0400"><b:ProductionRequest><b:ID>P-1</b:ID>
      <b:EndTime>2099-01-02T08:00:00</b:EndTime><b:SegmentRequirement><b:MaterialProducedRequirement>
      <b:MaterialDefinitionID>hood</b:MaterialDefinitionID><b:Quantity><b:QuantityString>7</b:QuantityString></b:Quantity>
      </b:MaterialProducedRequirement></b:SegmentRequirement></b:ProductionRequest></b:ProductionSchedule>"""
    (one,) = judged(store, old.encode("utf-16"))
    assert one.order is not None and (one.order.id, one.order.quantity) == ("P-1", 7)
    assert one.order.due_ns == at("2099-01-02T08:00")


def test_what_is_no_production_is_told(store: Store) -> None:
    first, second = judged(store, B2MML.replace(">Production<", ">Maintenance<").encode())
    assert "no production" in first.errors[0]["en"] and second.errors == []


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12))


@pytest.mark.parametrize("body", [
    f'<?xml version="1.0"?><!DOCTYPE a [{LAUGHS}]><OperationsSchedule><ID>&l11;</ID></OperationsSchedule>',
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><OperationsSchedule><ID>&x;</ID></OperationsSchedule>',
    '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><OperationsSchedule/>',
    B2MML.replace("<ProcessOperationsSchedule", '<!DOCTYPE ProcessOperationsSchedule [<!ENTITY x "y">]><ProcessOperationsSchedule'),
])  # fmt: skip
def test_xml_with_entities_of_its_own_is_not_read_further(store: Store, body: str) -> None:
    with pytest.raises(ImportProblem, match="entities of its own"):
        judged(store, body.encode())


@pytest.mark.parametrize("body", [
    "<a>" * 5000, "<a>" * 30 + "</a>" * 29, "<", "<?xml", "<a/>", "<a></b>", "<OperationsSchedule>&nbsp;</OperationsSchedule>",
    '<?xml version="1.0" encoding="nonsense"?><a/>', "<OperationsSchedule>" + "<a/>" * 400_001 + "</OperationsSchedule>",
])  # fmt: skip
def test_broken_or_endless_xml_is_refused_in_words(store: Store, body: str) -> None:
    with pytest.raises(ImportProblem) as told:
        judged(store, body.encode())
    assert told.value.both["zh"] and len(told.value.both["en"]) < 400


def test_times_as_people_write_them() -> None:
    zone = "Asia/Shanghai"
    assert moment_of("2099-01-02T08:00Z", zone, end=True) == at("2099-01-02T16:00")
    assert moment_of("20990102T0800", zone, end=True) == at("2099-01-02T08:00")
    for nonsense in (
        "",
        "x",
        "2099-13-01",
        "9999-12-31T23:59",
        "0001-01-01",
        "1969-01-01",
        "2099-01-02T25:00",
    ):
        assert moment_of(nonsense, zone, end=True) is None, nonsense


def test_what_goes_out_as_csv_comes_in_again_and_runs_in_no_spreadsheet(store: Store) -> None:
    row = {
        "id": "=1+1", "product": "hood", "quantity": 3, "due_ms": at("2099-01-02T08:00") // 1_000_000, "priority": 4,
        "release_ms": 0, "status": "received", "done": 0, "scrapped": 0, "end_ms": 0, "late_s": 0, "created_by": 'a "b", c',
    }  # fmt: skip
    body = b"".join(write_csv([row, row | {"id": "B"}], "Asia/Shanghai"))
    lines = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert lines[0]["id"] == "'=1+1" and lines[0]["created_by"] == 'a "b", c'
    assert lines[1]["due"] == "2099-01-02T08:00:00+08:00" and lines[1]["planned_end"] == ""
    assert [one.order.due_ns for one in judged(store, body) if one.order] == [at("2099-01-02T08:00")] * 2


def test_confirmations_say_what_was_made_and_used_up(store: Store) -> None:
    numbers = itertools.count(1)
    with store.begin() as session:
        for name, status in (("W<1>", "done"), ("W-2", "released")):
            session.add(
                WorkOrder(plant="small", id=name, product="hood", quantity=10, due_ns=NS, status=status, created_ns=1,
                          done=9 if status == "done" else 0, scrapped=int(status == "done"))
            )  # fmt: skip
            session.flush()
            for step, state in (
                ((2, "stored"), (1, "running"), (0, "planned")) if status == "released" else ((2, "stored"),)
            ):
                session.add(
                    Lot(id=next(numbers), plant="small", order_id=name, product="hood", quantity=10, good=10, status=state,
                        next_step=step, updated_ns=at("2099-01-02T08:00"))
                )  # fmt: skip
    with store.read() as session:
        body = b"".join(
            write_performance(
                "P", "2099-01-02T08:00:00+08:00", performances(session, PLANT, ["W<1>", "none", "W-2"])
            )
        )
    root = ET.fromstring(body)
    names = {"b": NAMESPACE}
    assert root.tag == f"{{{NAMESPACE}}}OperationsPerformance"
    first, second = root.findall("b:OperationsResponse", names)
    assert first.findtext("b:OperationsRequestID", "", names) == "W<1>"
    assert first.findtext("b:ResponseState", "", names) == "Completed"
    assert first.findtext("b:SegmentResponse/b:ActualEndTime", "", names) == "2099-01-02T08:00:00+08:00"

    def actuals(response: ET.Element) -> list[tuple[str, str, str, str]]:
        return [
            (
                m.findtext("b:MaterialDefinitionID", "", names), m.findtext("b:MaterialUse", "", names),
                m.findtext("b:Quantity/b:QuantityString", "", names), m.findtext("b:Quantity/b:UnitOfMeasure", "", names),
            )
            for m in response.findall("b:SegmentResponse/b:MaterialActual", names)
        ]  # fmt: skip

    assert actuals(first) == [
        ("hood", "Produced", "9", "pcs"), ("hood", "Other", "1", "pcs"), ("carton", "Consumed", "10", ""), ("steel", "Consumed", "15", "kg"),
    ]  # fmt: skip
    # Stored and at work in its second operation: 20 pieces through both; the planned lot has used up nothing.
    assert actuals(second) == [
        ("hood", "Produced", "0", "pcs"),
        ("carton", "Consumed", "20", ""),
        ("steel", "Consumed", "30", "kg"),
    ]
    assert second.findtext("b:ResponseState", "", names) == "Running"
