"""The audit of a live day finds what it is there to find: each lie in the twin's book or in the brain's has its line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bench.live_audit import Audit, actuals, double_booked, twice
from zhongshu.kernel.store.tables import Command
from zhongshu.model.commands import CommandStatus, Verb

S = 1_000_000_000


def _start(key: int, operation: int = 10) -> Command:
    args = {"operation": operation}
    return Command(key=key, verb=Verb.START_JOB.name, args=args, status=CommandStatus.PROVEN.value)


def _drive(key: int) -> Command:
    return Command(key=key, verb=Verb.TRANSPORT.name, args={}, status=CommandStatus.PROVEN.value)


COMMANDS = {1: _start(1), 2: _start(2, 20), 3: _drive(3), 4: _drive(4)}


def _event(kind: str, unit: str, key: int, end: str, t_s: int, lot: int = 7) -> dict[str, Any]:
    counts = {"good": 4, "scrap": 1} if kind == "job" and end else {}
    return {"kind": kind, "unit": unit, "key": key, "lot": lot, "end": end, "t_ns": t_s * S, **counts}


def _day() -> list[dict[str, Any]]:
    """Two operations of lot 7 on two units, a transport between them, and one of another lot beside it."""
    return [
        _event("job", "saw", 1, "", 10),
        _event("job", "saw", 1, "done", 20),
        _event("transport", "agv", 3, "", 21),
        _event("transport", "cart", 4, "", 22, lot=8),
        _event("transport", "agv", 3, "done", 30),
        _event("transport", "cart", 4, "done", 31, lot=8),
        _event("job", "press", 2, "", 40),
        _event("job", "press", 2, "done", 50),
    ]


TOLD = {1: ("done", 4, 1, 21 * S), 2: ("done", 4, 1, 50 * S)}


def _wrong(truth: list[dict[str, Any]], told: Mapping[int, tuple[str, int, int, int]] = TOLD) -> list[str]:
    found = Audit()
    actuals(found, told, truth, COMMANDS, 5.0)
    return [*found.wrong, *double_booked(truth, COMMANDS), *twice(truth, COMMANDS)]


def test_a_day_that_is_in_order_has_no_line() -> None:
    assert _wrong(_day()) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({6: _event("job", "saw", 2, "", 15)}, "saw began job 2 while 1 was open"),
        ({3: _event("transport", "agv", 4, "", 22, lot=8)}, "agv began transport 4 while 3 was open"),
        ({3: _event("transport", "cart", 4, "", 22)}, "cart was sent for lot 7, for which agv drives"),
        ({7: _event("job", "press", 2, "", 51)}, "press is still at 2"),
        (
            {2: _event("transport", "agv", 9, "", 21)},
            "agv began transport 9, of which the store knows nothing",
        ),
        ({6: _event("job", "press", 1, "", 40)}, "command 1 began 2 jobs"),
    ],
)
def test_what_is_double_is_found(change: dict[int, dict[str, Any]], line: str) -> None:
    truth = _day()
    for index, event in change.items():
        truth[index] = event
    assert any(line in wrong for wrong in _wrong(sorted(truth, key=lambda e: int(e["t_ns"]))))


def test_an_operation_done_twice_is_found() -> None:
    truth = [*_day(), _event("job", "press", 2, "", 60), _event("job", "press", 2, "done", 70)]
    assert any("operation (7, 20) was done 2 times" in wrong for wrong in _wrong(truth))


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ({2: TOLD[2]}, "job 1 on saw ended done, and nobody took that down"),
        ({**TOLD, 1: ("done", 5, 0, 21 * S)}, "done, 4 good, 1 scrap; taken down: done, 5, 0"),
        ({**TOLD, 1: ("aborted", 4, 1, 21 * S)}, "taken down: aborted, 4, 1"),
        ({**TOLD, 1: ("done", 4, 1, 27 * S)}, "its end was taken down 7 s off"),
        ({**TOLD, 5: ("done", 4, 1, 27 * S)}, "job 5 was taken down, and never was"),
    ],
)
def test_what_was_taken_down_wrong_is_found(told: dict[int, tuple[str, int, int, int]], line: str) -> None:
    assert any(line in wrong for wrong in _wrong(_day(), told))


def test_a_proof_without_a_job_is_found() -> None:
    truth = [event for event in _day() if event["key"] != 2]
    assert "command 2 is proven, and its job never began" in _wrong(truth, {1: TOLD[1]})
