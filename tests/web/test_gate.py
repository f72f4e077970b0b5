"""Who may come in: names, origins, sessions and the token, without a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.datastructures import Headers

from zhongshu.web.gate import Gate

PORT = 18420
HOST = f"127.0.0.1:{PORT}"


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path, PORT)


def asked(gate: Gate, **headers: str) -> Headers:
    """Headers as a page of ours sends them, changed by ``headers``."""
    session = f"{gate.cookie}={gate.new_session()}"
    return Headers({"host": HOST, "origin": f"http://{HOST}", "cookie": session} | headers)


@pytest.mark.parametrize("host", [HOST, f"localhost:{PORT}", f"[::1]:{PORT}", f"LOCALHOST:{PORT}"])
def test_our_names(gate: Gate, host: str) -> None:
    assert gate.host_ok(Headers({"host": host}))


@pytest.mark.parametrize("host", ["", "127.0.0.1", "evil.example", f"evil.example:{PORT}", "127.0.0.1:80"])
def test_a_name_pointed_at_us_is_not_ours(gate: Gate, host: str) -> None:
    assert not gate.host_ok(Headers({"host": host}))


def test_a_page_of_ours_may_watch_and_change(gate: Gate) -> None:
    assert gate.may_watch(asked(gate)) and gate.may_change(asked(gate))


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://evil.example"},
        {"origin": ""},
        {"origin": "null"},
        {"origin": f"https://{HOST}"},
        {"origin": "http://127.0.0.1:9999"},
        {"cookie": ""},
        {"cookie": f"zs_session_{PORT}=abc.def"},
        {"cookie": f"zs_session_{PORT}=."},
    ],
)
def test_nobody_else_may(gate: Gate, wrong: dict[str, str]) -> None:
    assert not gate.may_watch(asked(gate, **wrong))
    assert not gate.may_change(asked(gate, **wrong))


def test_the_token_opens_changes_but_no_session_of_another_key_does(gate: Gate, tmp_path: Path) -> None:
    bearer = Headers({"host": HOST, "authorization": f"Bearer {gate.token}"})
    assert gate.may_change(bearer)
    assert not gate.may_change(Headers({"host": HOST, "authorization": f"Bearer {gate.token}x"}))
    (tmp_path / "other").mkdir()
    stranger = Gate(tmp_path / "other", PORT)
    assert not gate.session_ok(asked(stranger))


def test_sessions_outlive_a_restart_and_secrets_are_private(gate: Gate, tmp_path: Path) -> None:
    assert Gate(tmp_path, PORT).session_ok(asked(gate))
    assert Gate(tmp_path, PORT).token == gate.token
    for name in ("api.token", "web.key"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
