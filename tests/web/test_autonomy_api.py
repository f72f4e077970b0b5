"""The ladder over HTTP: levels, take-over, stop, the queue of approvals, and the whole life of one command."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.web.lab import Lab
from zhongshu.kernel.clock import load_clock
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Command, CommandStep


@pytest.fixture
def http(lab: Lab) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=lab.url, timeout=20, headers={"Authorization": f"Bearer {lab.token()}"}
    ) as client:
        yield client


def command(lab: Lab, status: str, **more: Any) -> int:
    """A command as act would have entered it."""
    store = Store(lab.data.store_url)
    now = load_clock(lab.data.clock_file).now_ns()
    with store.begin() as session:
        row = Command(
            plant="minimal", unit="press-1", verb="START_JOB", status=status, created_ns=now, expires_ns=now
        )
        row.proposal = f"test.{now}"
        for name, value in more.items():
            setattr(row, name, value)
        session.add(row)
        session.flush()
        key = row.key
    store.close()
    return key


def test_a_level_is_set_under_a_name_and_remembered(http: httpx.Client) -> None:
    assert http.post("/api/autonomy/level", json={"area": "shop", "level": "advise"}).status_code == 422
    said = {"area": "shop", "level": "advise", "by": "李娜", "note": "新员工"}
    made = http.post("/api/autonomy/level", json=said)
    assert made.status_code == 201
    assert made.json() | {"id": 0, "t_ms": 0} == {
        "id": 0,
        "scope": "area:shop",
        "kind": "level",
        "before": "act",
        "value": "advise",
        "by": "李娜",
        "note": "新员工",
        "t_ms": 0,
    }
    (area,) = http.get("/api/autonomy").json()["areas"]
    assert (area["level"], area["default"], area["changed"]["by"]) == ("advise", "act", "李娜")
    again = http.post("/api/autonomy/level", json=said)
    assert again.status_code == 409
    assert set(again.json()["error"]) == {"zh", "en"}
    assert http.post("/api/autonomy/level", json=said | {"level": "fly"}).status_code == 422
    assert http.post("/api/autonomy/level", json=said | {"area": "attic"}).status_code == 404
    newest = http.get("/api/autonomy/changes", params={"scope": "area:shop"}).json()["changes"][0]
    assert newest["value"] == "advise"
    assert http.post("/api/autonomy/level", json=said | {"level": "act"}).status_code == 201


def test_take_over_and_stop_name_who_did_it(http: httpx.Client) -> None:
    who = {"by": "Li"}
    assert http.post("/api/autonomy/take-over", json=who).status_code == 422
    assert http.post("/api/autonomy/take-over", json=who | {"unit": "nobody"}).status_code == 404
    assert http.post("/api/autonomy/take-over", json=who | {"unit": "press-1"}).status_code == 201
    assert http.post("/api/autonomy/take-over", json={"by": "W", "unit": "press-1"}).status_code == 409
    assert http.post("/api/autonomy/stop", json=who | {"then": "explode"}).status_code == 422
    assert (
        http.post("/api/autonomy/stop", json=who | {"then": "hold", "note": "fire drill"}).status_code == 201
    )
    state = http.get("/api/autonomy").json()
    assert (state["stopped"]["by"], state["stopped"]["value"]) == ("Li", "hold")
    assert [(u["unit"], u["taken"]["by"]) for u in state["units"]] == [("press-1", "Li")]
    assert http.post("/api/autonomy/resume", json={"by": "Wang"}).status_code == 201
    assert http.post("/api/autonomy/resume", json={"by": "Wang"}).status_code == 409
    assert http.post("/api/autonomy/hand-back", json={"by": "Wang", "unit": "press-1"}).status_code == 201
    assert http.get("/api/autonomy").json()["stopped"] is None


def test_many_are_approved_at_once_and_each_that_cannot_be_is_told(lab: Lab, http: httpx.Client) -> None:
    first, second = command(lab, "proposed", waits=True), command(lab, "proposed", waits=True)
    sent = command(lab, "sent")
    listed = {c["key"]: c for c in http.get("/api/approvals").json()["commands"]}
    assert {first, second} <= set(listed)
    assert sent not in listed
    assert listed[first]["area"] == "shop"
    said = {"commands": [first, sent, second], "ruling": "approve", "by": "Li", "note": "go"}
    assert http.post("/api/approvals", json=said | {"by": "brain"}).status_code == 422
    told = http.post("/api/approvals", json=said).json()
    assert [d["command"] for d in told["done"]] == [first, second]
    assert [(r["command"], set(r["error"])) for r in told["refused"]] == [(sent, {"zh", "en"})]
    assert http.post("/api/approvals", json=said | {"commands": [first]}).status_code == 409
    assert http.post("/api/approvals", json=said | {"commands": [10**6]}).status_code == 404
    assert http.post("/api/approvals", json=said | {"commands": []}).status_code == 422
    assert http.get(f"/api/commands/{first}").json()["rulings"][0]["by"] == "Li"


def test_only_an_unknown_command_is_ended_by_a_person(lab: Lab, http: httpx.Client) -> None:
    unknown, failed = command(lab, "unknown"), command(lab, "failed")
    said = {"became": "proven", "by": "Li", "note": "I see it"}
    assert http.post(f"/api/commands/{failed}/end", json=said).status_code == 409
    assert http.post(f"/api/commands/{unknown}/end", json=said | {"became": "fine"}).status_code == 422
    assert http.post(f"/api/commands/{unknown}/end", json=said).status_code == 201
    assert http.post(f"/api/commands/{unknown}/end", json=said).status_code == 409


def test_a_command_tells_its_whole_life(lab: Lab, http: httpx.Client) -> None:
    key = command(lab, "sent", plan=12, decision="first_come", approved_by="ladder")
    store = Store(lab.data.store_url)
    point = assign_ids(load_plant(lab.plant), store).unit_of["press-1"].points[0]
    with store.begin() as session:
        sample = {"point": point.id, "t_ns": 5_000_000, "value": 4.0}
        session.add(
            CommandStep(
                plant="minimal", command=key, status="sent", t_ns=7_000_000, wall_ns=8_000_000, by="act"
            )
        )
        session.flush()
        step = session.query(CommandStep).filter(CommandStep.command == key).one()
        step.samples = [sample]
    store.close()
    told = http.get(f"/api/commands/{key}").json()
    assert (told["plan"], told["decision"], told["approved_by"]) == (12, "first_come", "ladder")
    assert told["life"] == [
        {
            "status": "sent",
            "t_ms": 7,
            "wall_ms": 8,
            "detail": "",
            "by": "act",
            "samples": [{"point": point.id, "path": point.path, "t_ms": 5.0, "value": 4.0}],
        }
    ]
