"""What programs send by mistake or in malice: always an answer in JSON that says what is wrong, never a fault of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.web.lab import Lab

DUE = '"2099-01-02T08:00"'


@pytest.fixture
def http(lab: Lab) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {lab.token()}", "Content-Type": "application/json"}
    with httpx.Client(base_url=lab.url, timeout=20, headers=headers) as client:
        yield client


def order(**changed: str) -> str:
    """An order as text, since some of what is sent here is no JSON that a library would write."""
    fields = {"id": '"X-1"', "product": '"bracket"', "quantity": "1", "due": DUE} | changed
    return "{" + ",".join(f'"{name}":{text}' for name, text in fields.items()) + "}"


@pytest.mark.parametrize(
    "body",
    [
        "x{", "[]", "null", "",
        order(quantity="1e999"), order(quantity="NaN"), order(quantity="true"), order(quantity="1.5"),
        order(quantity="9" * 30), order(quantity="-1"), order(priority="9" * 30), order(nonsense="1"),
        order(id='""'), order(id='" "'), order(id='"\\ud800"'), order(id='"a\\u0000"'), order(by='"\\u0000"'),
        order(product='"\\ud800"'),
        order(due="9" * 30), order(due=f'"{"9" * 5000}"'), order(due='"--5"'), order(due='"9999-12-31T23:59"'),
        order(due="-1"), order(release="9" * 30), order(release="-5"),
    ],
)  # fmt: skip
def test_an_order_that_cannot_be_is_refused_in_words(http: httpx.Client, body: str) -> None:
    answer = http.post("/api/orders", content=body.encode())
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"]
    assert len(answer.text) < 1000, "what was sent is not sent back"


def test_an_id_with_a_slash_is_found_again(http: httpx.Client) -> None:
    assert http.post("/api/orders", content=order(id='"2026/7 甲"').encode()).status_code == 201
    assert http.get("/api/orders/2026%2F7%20甲").json()["id"] == "2026/7 甲"


@pytest.mark.parametrize(
    "path",
    [
        "/api/commands/" + "9" * 30,
        "/api/trend?points=1&start=--5",
        f"/api/trend?points=1&start=-{2**62}",
        "/api/gaps?start=" + "9" * 30,
        f"/api/export?points=1&start={'9' * 30}&end={'9' * 31}",
    ],
)
def test_numbers_beyond_all_limits_are_refused(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/nonsense"), ("DELETE", "/api/commands/1")])
def test_what_the_api_has_not_is_said_in_json(http: httpx.Client, method: str, path: str) -> None:
    answer = http.request(method, path)
    assert answer.status_code == 404
    assert f"{method} {path}" in answer.json()["detail"]


def test_a_body_too_long_or_of_unknown_length_is_not_read(http: httpx.Client) -> None:
    def endless() -> Iterator[bytes]:
        yield b"{}"

    bodies: list[Any] = [b"x" * 1_000_001, endless()]
    for body in bodies:
        assert http.post("/api/orders", content=body).status_code == 413
