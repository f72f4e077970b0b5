"""The API of a running control room, asked as programs, browsers and foreign pages ask."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.web.lab import MINIMAL, Lab
from zhongshu.kernel.config import ConfigError
from zhongshu.web.serve import run_web

ORDER = {"id": "C-1", "product": "bracket", "quantity": 20, "due": "2099-01-02T08:00", "by": "test"}


@pytest.fixture
def http(lab: Lab) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=lab.url, timeout=20) as client:
        yield client


def bearer(lab: Lab) -> dict[str, str]:
    return {"Authorization": f"Bearer {lab.token()}"}


def eventually(ask: Any, seconds: float = 15.0) -> Any:
    """What ``ask`` answers once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := ask()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert found
    return found


def test_status_plant_and_words(http: httpx.Client) -> None:
    eventually(lambda: http.get("/api/status").json()["devices"]["total"] == 4)
    plant = http.get("/api/plant").json()
    assert [unit["id"] for unit in plant["units"]] == ["press-1", "press-2", "packer", "agv"]
    assert plant["vehicles"] == ["agv"] and plant["roads"]["edges"] and plant["speed"] == 1
    assert "password" not in json.dumps(plant)
    zh, en = (http.get(f"/api/words/{language}").json() for language in ("zh", "en"))
    assert zh.keys() == en.keys() and zh["title.sense"] == "感知" and en["title.sense"] == "Sense"
    assert http.get("/api/words/fr").status_code == 422


def test_points_are_found_by_every_word(http: httpx.Client) -> None:
    found = http.get("/api/points", params={"search": "press-1 force"}).json()
    assert found["total"] == 1 and found["points"][0]["label"] == {"zh": "压力", "en": "Force"}
    assert http.get("/api/units/press-1").json()["points"]
    assert http.get("/api/units/none").status_code == 404


def test_an_order_needs_the_token(http: httpx.Client, lab: Lab) -> None:
    assert http.post("/api/orders", json=ORDER).status_code == 403
    foreign = {"Origin": "http://evil.example"}
    assert http.post("/api/orders", json=ORDER, headers=foreign).status_code == 403
    assert http.post("/api/orders", json=ORDER, headers={"Authorization": "Bearer no"}).status_code == 403
    assert all(order["id"] != "C-1" for order in http.get("/api/orders").json()["orders"])


def test_a_page_of_ours_may_order_with_its_session(http: httpx.Client, lab: Lab) -> None:
    http.get("/")  # brings the session
    order = ORDER | {"id": "C-2"}
    assert http.post("/api/orders", json=order).status_code == 403  # the session alone is not enough
    assert http.post("/api/orders", json=order, headers={"Origin": "http://evil.example"}).status_code == 403
    assert http.post("/api/orders", json=order, headers={"Origin": lab.url}).status_code == 201


def test_orders_are_taken_once_and_refused_with_a_reason(http: httpx.Client, lab: Lab) -> None:
    first = http.post("/api/orders", json=ORDER, headers=bearer(lab))
    assert first.status_code == 201 and first.json()["due_ms"] == 4070995200000  # eight o'clock in Shanghai
    assert http.post("/api/orders", json=ORDER, headers=bearer(lab)).status_code == 200
    other = http.post("/api/orders", json=ORDER | {"quantity": 21}, headers=bearer(lab))
    assert other.status_code == 409 and "another id" in other.json()["detail"]
    for change in ({"product": "x"}, {"quantity": 0}, {"due": "soon"}, {"priority": 12}, {"surprise": 1}):
        refused = http.post("/api/orders", json=ORDER | {"id": "C-3"} | change, headers=bearer(lab))
        assert refused.status_code == 422 and refused.json()["detail"], change
    assert http.get("/api/orders/C-1").json()["created_by"] == "test"
    assert http.get("/api/orders/C-3").status_code == 404


def test_a_name_pointed_at_us_gets_nothing(http: httpx.Client) -> None:
    for path in ("/", "/api/status", "/live", "/assets/js/boot.js", "/metrics"):
        assert http.get(path, headers={"Host": "evil.example"}).status_code == 403


def test_commands_and_gaps(http: httpx.Client) -> None:
    rows = eventually(lambda: http.get("/api/commands?limit=5").json()["commands"])
    one = http.get(f"/api/commands/{rows[0]['key']}").json()
    assert one["steps"][0][0] == "proposed" and one["proposal"].startswith("made-up.")
    assert http.get("/api/commands/999999").status_code == 404
    unit = rows[0]["unit"]
    assert {row["unit"] for row in http.get(f"/api/commands?unit={unit}").json()["commands"]} == {unit}
    gaps = http.get("/api/gaps").json()
    assert gaps["total"] == 2 and gaps["missing"] == 1000
    assert http.get("/api/gaps?unit=press-2").json()["total"] == 0


def test_metrics_are_prometheus(http: httpx.Client) -> None:
    eventually(lambda: 'zhongshu_devices{plant="minimal",state="connected"} 4' in http.get("/metrics").text)
    for line in http.get("/metrics").text.splitlines():
        assert line.startswith("# ") or float(line.rpartition(" ")[2]) >= 0


def test_trend_and_export_tell_the_same_values(http: httpx.Client) -> None:
    path = http.get("/api/points?search=press-1 force").json()["points"][0]["path"]
    trend = eventually(lambda: _trend(http, path))
    assert trend["t"] == sorted(trend["t"]) and all(
        a <= b for a, b in zip(trend["low"], trend["high"], strict=True)
    )
    csv = http.get("/api/export", params={"points": path}).text.splitlines()
    assert csv[0].endswith("path,time,value,quality") and csv[1].startswith(f"{path},20")
    answer = http.get("/api/export", params={"points": path, "format": "parquet"})
    rows = pq.read_table(io.BytesIO(answer.content))
    assert rows.num_rows >= len(csv) - 1 and rows.column_names == ["path", "time", "value", "quality"]
    assert "attachment" in answer.headers["content-disposition"]
    assert http.get("/api/trend?points=none").status_code == 404
    assert http.get(f"/api/trend?points={path}&start=2026-01-02&end=2026-01-01").status_code == 422


def _trend(http: httpx.Client, path: str) -> dict[str, Any] | None:
    answer = http.get(f"/api/points/{path}/trend")
    if answer.status_code != 200:
        return None
    (point,) = answer.json()["points"]
    return point if len(point["t"]) > 3 else None


def test_pages_carry_language_and_a_policy(http: httpx.Client) -> None:
    for language, word in (("zh-CN", "总览"), ("en-US", "Overview")):
        page = http.get("/", headers={"Cookie": f"zs_language={language[:2]}"})
        assert f'lang="{language}"' in page.text and word in page.text
        assert "default-src 'self'" in page.headers["content-security-policy"]
    hostile = http.get("/device/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert "<script>alert(1)" not in hostile.text
    assert http.get("/api/openapi.json").json()["paths"]["/api/orders"]["post"]
    assert http.get("/api/docs").status_code == 200


async def first_frames(lab: Lab, origin: str | None, cookie: str, say: str = "") -> list[dict[str, Any]]:
    headers = {"Cookie": cookie} if cookie else {}
    async with connect(
        f"ws://127.0.0.1:{lab.port}/live", origin=origin, additional_headers=headers
    ) as socket:  # type: ignore[arg-type]
        if say:
            await socket.send(say)
        return [json.loads(await asyncio.wait_for(socket.recv(), 5)) for _ in range(6)]


async def test_the_live_channel_opens_to_our_pages_only(lab: Lab) -> None:
    async with httpx.AsyncClient(base_url=lab.url) as client:
        await client.get("/")
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    for origin, session in (
        (lab.url, ""),
        ("http://evil.example", cookie),
        (None, cookie),
        (lab.url, "zs=1"),
    ):
        with pytest.raises(ConnectionClosed) as refused:
            await first_frames(lab, origin, session)
        assert refused.value.rcvd is not None and refused.value.rcvd.code == 4403
    frames = await first_frames(lab, lab.url, cookie, say='{"watch":"press-1"}')
    kinds = [frame["k"] for frame in frames]
    assert kinds[0] == "s" and "d" in kinds and "p" in kinds
    numbers = [frame["n"] for frame in frames if "n" in frame]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_only_loopback_and_only_a_free_port(lab: Lab, data_dir: Path) -> None:
    with pytest.raises(ConfigError, match="loopback only, not on 0"):
        await run_web(MINIMAL, data_dir, host="0.0.0.0")
    with pytest.raises(ConfigError, match=f"port {lab.port}"):
        await run_web(MINIMAL, data_dir, port=lab.port)
