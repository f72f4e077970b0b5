"""Decisions, missions and whole orders over the API of a running control room."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.ports import low_port
from tests.web.decided import HOP_MS, put_breakdown
from tests.web.lab import KITCHEN, Lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(KITCHEN, tmp_path_factory.mktemp("decided"), low_port)
    try:
        lab.start(still=True)
        yield lab
    finally:
        lab.close()


@pytest.fixture(scope="module")
def facts(lab: Lab) -> dict[str, Any]:
    return put_breakdown(lab)


@pytest.fixture
def http(lab: Lab) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=lab.url, timeout=20) as client:
        yield client


def test_the_list_tells_what_happened_and_what_moved(http: httpx.Client, facts: dict[str, Any]) -> None:
    found = http.get("/api/decisions").json()
    assert [d["rule"] for d in found["decisions"]] == ["improved", "breakdown"] or {
        d["rule"] for d in found["decisions"]
    } == {"improved", "breakdown"}
    assert found["reaction"] is None, "no planner runs here, and nothing is made up"
    [answer] = http.get("/api/decisions", params={"rule": "breakdown"}).json()["decisions"]
    assert (answer["id"], answer["subject"]) == (facts["id"], facts["unit"])
    assert answer["jobs"] == facts["moved"]["jobs"] > 0
    assert sum(answer["to"].values()) == answer["jobs"]
    assert answer["hops"] == {hop: float(ms) for hop, ms in HOP_MS.items()}
    assert answer["follows"]["hops"]["proven"] == 1300.0
    assert answer["trigger"]["state"] == "ABORTED"
    assert answer["trigger"]["t_ms"] == facts["trigger"]["t_ns"] // 1_000_000
    assert answer["improved"] == {"became": 42, "moved": 3, "seconds": 5.0}
    assert answer["orders_turned_late"] == 1
    assert answer["orders"][0]["expected_ms"] > answer["orders"][0]["due_ms"]


def test_what_only_the_search_found_can_be_left_out(http: httpx.Client, facts: dict[str, Any]) -> None:
    rows = http.get("/api/decisions", params={"improvements": False}).json()["decisions"]
    assert [row["id"] for row in rows] == [facts["id"]]
    mine = http.get("/api/decisions", params={"subject": "nobody"}).json()["decisions"]
    assert mine == []


def test_one_decision_has_everything_on_record(http: httpx.Client, facts: dict[str, Any]) -> None:
    whole = http.get(f"/api/decisions/{facts['id']}").json()
    assert [(o["name"], o["chosen"]) for o in whole["options"]] == [
        ("carried_on", False),
        ("repaired", True),
        ("improved", False),
    ]
    assert whole["options"][0]["late"] is None, "nobody counted them for this option"
    assert len(whole["moved"]) == min(60, whole["jobs"])
    assert {job["from"] for job in whole["moved"]} == {facts["unit"]}
    assert len(whole["orders"]) == min(30, whole["orders_concerned"])
    assert all(order["status"] == "open" for order in whole["orders"])


def test_what_is_not_there_is_said(http: httpx.Client, facts: dict[str, Any]) -> None:
    assert http.get("/api/decisions/nothing").status_code == 404
    assert http.get("/api/decisions", params={"limit": 0}).status_code == 422
    assert http.get("/api/paths/NO-SUCH").status_code == 404


def test_every_vehicle_has_a_row_and_none_has_a_mission_that_it_does_not_report(http: httpx.Client) -> None:
    rows = http.get("/api/missions").json()["vehicles"]
    assert len(rows) == 20
    assert all(row["mission"] is None for row in rows)


def test_an_order_end_to_end_has_its_lots_and_their_steps(http: httpx.Client) -> None:
    path = http.get("/api/paths/W-2206").json()
    assert (path["id"], path["status"]) == ("W-2206", "released")
    assert path["lots"]
    for lot in path["lots"]:
        assert lot["steps"], "every product has a routing"
        assert {step["state"] for step in lot["steps"]} <= {"done", "running", "planned", "open"}
    done = http.get("/api/paths/W-2201").json()
    assert done["status"] == "done"


def test_commands_are_narrowed_to_an_order(http: httpx.Client) -> None:
    assert http.get("/api/commands", params={"order": "W-NONE"}).json()["commands"] == []
    every = http.get("/api/commands", params={"limit": 5}).json()["commands"]
    assert all("decision" in row for row in every)
