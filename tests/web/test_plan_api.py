"""Plans over the API of a running control room: read by browsers and programs, asked about over the bus, released and undone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.ports import low_port
from tests.web.lab import KITCHEN, run_apart
from tests.web.plan_lab import NS, PlanLab, plan_lab
from zhongshu.kernel.clock import load_clock
from zhongshu.kernel.config import load_access
from zhongshu.kernel.nats_bus import NatsBus
from zhongshu.kernel.wire import publish_event
from zhongshu.model.messages import CommandChanged, JobProgressed, Proposed


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlanLab]:
    """A control room of the kitchen plant with a live plan of 10,000 tasks; the planner comes later."""
    lab = plan_lab(KITCHEN, tmp_path_factory.mktemp("plan"), low_port)
    try:
        yield lab
    finally:
        lab.close()


@pytest.fixture
def http(lab: PlanLab) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=lab.url, timeout=20, headers={"Authorization": f"Bearer {lab.token()}"}
    ) as client:
        yield client


def ask(http: httpx.Client, **question: Any) -> httpx.Response:
    return http.post("/api/plan/ask", json=question)


def test_a_plan_comes_packed_and_only_once(http: httpx.Client) -> None:
    listed = http.get("/api/plan").json()
    assert [(p["status"], p["kpis"]["tasks"]) for p in listed["plans"]] == [
        ("live", 10_000),
        ("superseded", 10_000),
    ]
    assert listed["planner"] == "absent"
    version = listed["plans"][0]["version"]
    live = http.get("/api/plan/live")
    document = live.json()
    assert live.headers["content-encoding"] == "gzip" and document["version"] == version
    assert len(document["tasks"]["id"]) == 10_000 and document["status"] == "live"
    assert http.get(f"/api/plan/{version}").json() == document
    assert http.get("/api/plan/live", headers={"If-None-Match": live.headers["etag"]}).status_code == 304
    assert http.get("/api/plan/live", params={"since": version}).json() == {
        "version": version,
        "unchanged": True,
    }
    assert http.get("/api/plan/live", params={"since": version - 1}).json() == document
    assert http.get("/api/plan/live", headers={"Accept-Encoding": "identity"}).json() == document
    for path, status in (
        ("99999", 404),
        ("0", 422),
        ("x", 422),
        ("-1", 422),
        ("99999/tasks.csv", 404),
        ("x/tasks.csv", 422),
    ):
        assert http.get(f"/api/plan/{path}").status_code == status, path


def test_the_page_holds_no_plan_and_the_api_is_described(http: httpx.Client) -> None:
    page = http.get("/decide")
    assert page.status_code == 200 and "W-22" not in page.text and len(page.text) < 60_000
    paths = http.get("/api/openapi.json").json()["paths"]
    for path in ("", "/now", "/abilities", "/live", "/{version}", "/{version}/tasks.csv", "/ask"):
        assert paths[f"/api/plan{path}"], path


def test_tasks_as_csv(http: httpx.Client) -> None:
    answer = http.get("/api/plan/live/tasks.csv")
    assert (
        answer.headers["content-type"].startswith("text/csv")
        and "attachment" in answer.headers["content-disposition"]
    )
    assert len(answer.text.splitlines()) == 10_001


def test_who_can_do_what(http: httpx.Client) -> None:
    able = http.get("/api/plan/abilities").json()["operations"]
    assert len(able["40"]) == 20 and able["40"][0] == "stamp-01" and "stamp-01" not in able["30"]


def test_without_a_planner_it_is_said_soon_and_in_both_languages(http: httpx.Client) -> None:
    began = time.monotonic()
    answer = ask(http, what="quote", product="hood-8235", quantity=40)
    assert answer.status_code == 503 and time.monotonic() - began < 6
    assert "planner" in answer.json()["error"]["en"] and "规划器" in answer.json()["error"]["zh"]


def test_only_who_may_change_may_ask(lab: PlanLab) -> None:
    for headers in ({}, {"Origin": "http://evil.example"}, {"Authorization": "Bearer no"}):
        answer = httpx.post(f"{lab.url}/api/plan/ask", json={"what": "undo"}, headers=headers)
        assert answer.status_code == 403


def test_what_a_unit_says_reaches_the_plan(http: httpx.Client, lab: PlanLab) -> None:
    async def speak() -> None:
        bus = await NatsBus.connect(load_access(lab.data.secrets), name="test")
        now = load_clock(lab.data.clock_file).now_ns()
        args = json.dumps({"lot": 1001, "operation": 40, "product": 1, "quantity": 10})
        await publish_event(
            bus, Proposed("kitchen", "decide", now, "t1", "stamp-01", "START_JOB", args, "", "", "", now, "x")
        )
        await publish_event(
            bus, CommandChanged("kitchen", "act", now, 990_001, "t1", "stamp-01", "START_JOB", "sent", "", "")
        )
        await publish_event(
            bus, JobProgressed("kitchen", "understand", now, "stamp-01", 990_001, "RUNNING", 0, 0)
        )
        await bus.close()

    run_apart(speak())
    deadline = time.monotonic() + 5
    while not (rows := http.get("/api/plan/now").json()["tasks"]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert rows and rows[0][:3] == [1001, 40, "stamp-01"] and rows[0][5] == "RUNNING"
    cursor = http.get("/api/plan/now").json()["cursor"]
    assert http.get("/api/plan/now", params={"since": cursor}).json()["tasks"] == []


def test_questions_reach_the_planner_and_its_answers_come_back(http: httpx.Client, lab: PlanLab) -> None:
    lab.start_planner()
    began = time.monotonic()
    answer = ask(http, what="quote", product="hood-8235", quantity=40)
    assert answer.status_code == 200 and time.monotonic() - began < 2
    assert answer.json()["end_ns"] > 0 and answer.json()["reason"]["en"]
    refused = ask(http, what="quote", product="hood-8235", quantity=9999)
    assert refused.status_code == 409 and refused.json()["error"]["zh"] == "超过一年产能"
    for wrong in ({"what": "dance"}, {}, {"what": "quote", "by": "x" * 65}, []):
        assert http.post("/api/plan/ask", json=wrong).status_code == 422
    assert http.post("/api/plan/ask", content='{"what":"quote","quantity":NaN}').status_code == 422


def test_a_what_if_is_tried_released_and_undone_under_a_name(http: httpx.Client) -> None:
    live = http.get("/api/plan/live").json()
    tasks = live["tasks"]
    i = next(k for k, state in enumerate(tasks["status"]) if state == "planned" and tasks["start"][k] > 4000)
    place = {
        "kind": "place", "task": tasks["id"][i], "unit": live["units"][tasks["unit"][i]]["id"],
        "start_ns": live["origin_ns"] + (tasks["start"][i] + 900) * NS,
    }  # fmt: skip
    tried = ask(http, what="try", base="live", scenario=None, edits=[place]).json()
    assert tried["effect"]["moved"] >= 1
    row = http.get("/api/plan").json()["plans"][0]
    assert (row["version"], row["status"], row["by"], row["base"]) == (
        tried["version"],
        "scenario",
        "api",
        live["version"],
    )
    nobody = ask(http, what="release", version=tried["version"])
    assert nobody.status_code == 422 and nobody.json()["error"]["zh"]
    http.cookies.set("zs_person", quote("李工"))
    assert ask(http, what="release", version=tried["version"]).json()["version"] == tried["version"]
    now = http.get("/api/plan/live").json()
    assert now["version"] == tried["version"] and now["by"] == "李工" and now["status"] == "live"
    assert http.get(f"/api/plan/{live['version']}").json()["status"] == "superseded"
    assert ask(http, what="undo", by="Wang").json()["version"] == live["version"]
    assert http.get("/api/plan/live").json()["by"] == "Wang"
