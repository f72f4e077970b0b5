"""A supervisor and its children, as real processes that are killed in every way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = pytest.mark.faults

THREE = [
    {"name": "bus"},
    {"name": "historian", "after": ["bus"], "habits": ["parent"]},
    {"name": "web", "after": ["historian"], "habits": ["escaped"]},
]


class Parent:
    """The supervising process, and everything that ever came from it."""

    def __init__(self, folder: Path, children: list[dict[str, Any]]) -> None:
        self.folder = folder
        self.mark = f"ZS_TEST_{os.urandom(8).hex()}"
        (folder / "children.json").write_text(json.dumps(children))
        self.names = {child["name"] for child in children}
        script = Path(__file__).with_name("family_like.py")
        with (folder / "parent.txt").open("wb") as log:
            self.popen = subprocess.Popen(
                [sys.executable, str(script), "parent", str(folder)],
                env={**os.environ, self.mark: "1"},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def status(self) -> dict[str, Any]:
        try:
            return json.loads((self.folder / "status.json").read_text())
        except FileNotFoundError:
            return {}

    def order(self) -> list[str]:
        path = self.folder / "order.txt"
        return path.read_text().split() if path.exists() else []

    def all_ready(self) -> bool:
        status = self.status()
        return bool(status) and all(status[name]["state"] == "ready" for name in self.names)

    def members(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if self.mark in process.environ() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    def log(self) -> str:
        return (self.folder / "parent.txt").read_text()


Start = Callable[[list[dict[str, Any]]], Parent]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    parents: list[Parent] = []

    def begin(children: list[dict[str, Any]]) -> Parent:
        parents.append(Parent(tmp_path, children))
        return parents[-1]

    yield begin
    for parent in parents:
        for process in parent.members():
            process.kill()
        parent.popen.wait(5)


def until(true: Callable[[], Any], seconds: float, what: str) -> float:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, what
        time.sleep(0.02)
    return time.monotonic() - began


def test_start_in_order_stop_in_reverse(start: Start) -> None:
    parent = start(THREE)
    until(parent.all_ready, 10, "not ready")
    assert parent.order() == ["+bus", "+historian", "+web"]
    assert len(parent.members()) == 1 + 1 + 3 + 2  # parent, its guard, children, grandchildren
    parent.popen.send_signal(signal.SIGTERM)
    assert parent.popen.wait(10) == 0
    assert parent.order()[3:] == ["-web", "-historian", "-bus", "end"]
    until(lambda: not parent.members(), 2, "something is left")


def test_ctrl_c_reaches_only_the_parent(start: Start) -> None:
    parent = start(THREE)
    until(parent.all_ready, 10, "not ready")
    os.killpg(parent.popen.pid, signal.SIGINT)
    assert parent.popen.wait(10) == 0
    assert parent.order()[3:] == ["-web", "-historian", "-bus", "end"]
    until(lambda: not parent.members(), 2, "something is left")


def test_killed_parent_leaves_nobody(start: Start) -> None:
    parent = start([*THREE, {"name": "stubborn", "habits": ["stubborn", "parent", "escaped"]}])
    until(parent.all_ready, 10, "not ready")
    parent.popen.kill()
    until(lambda: not parent.members(), 2, "something is left")


def test_killed_guard_and_parent_leave_no_child(start: Start) -> None:
    parent = start([{"name": "bus"}, {"name": "web", "habits": ["stubborn"]}])
    until(parent.all_ready, 10, "not ready")
    guards = [
        process for process in parent.members() if any(a.endswith("guard.py") for a in process.cmdline())
    ]
    assert len(guards) == 1
    guards[0].kill()
    parent.popen.kill()
    until(lambda: not parent.members(), 2, "something is left")


def test_killed_guard_is_replaced_with_the_next_start(start: Start) -> None:
    parent = start(THREE)
    until(parent.all_ready, 10, "not ready")
    next(p for p in parent.members() if any(a.endswith("guard.py") for a in p.cmdline())).kill()
    os.kill(parent.status()["bus"]["pid"], signal.SIGKILL)
    until(lambda: parent.status()["bus"]["restarts"] == 1 and parent.all_ready(), 10, "not restarted")
    parent.popen.kill()
    until(lambda: not parent.members(), 2, "something is left")


def test_killed_child_comes_back_and_its_children_go(start: Start) -> None:
    parent = start(THREE)
    until(parent.all_ready, 10, "not ready")
    for round_ in (1, 2, 3):
        before = {name: parent.status()[name]["pid"] for name in parent.names}
        os.kill(before["historian"], signal.SIGKILL)
        until(lambda: parent.status()["historian"]["restarts"] == round_, 5, "not restarted")  # noqa: B023
        until(parent.all_ready, 5, "not ready again")
        after = parent.status()
        assert after["historian"]["pid"] != before["historian"]
        assert after["historian"]["last_exit"] == -signal.SIGKILL
        assert {name: after[name]["pid"] for name in ("bus", "web")} == {
            name: before[name] for name in ("bus", "web")
        }
        assert len(parent.members()) == 7  # the grandchild of the dead one was not left behind
    assert "historian was killed by signal 9, starting it again" in parent.log()


def test_all_children_killed_at_once_are_back_within_15_s(start: Start) -> None:
    parent = start(THREE)
    until(parent.all_ready, 10, "not ready")
    for name in parent.names:
        os.kill(parent.status()[name]["pid"], signal.SIGKILL)
    until(lambda: all(s["restarts"] for s in parent.status().values()) and parent.all_ready(), 15, "not back")
    assert len(parent.members()) == 7


def test_a_child_that_ignores_sigterm_is_killed(start: Start) -> None:
    parent = start([{"name": "bus", "habits": ["stubborn"], "stop_timeout_s": 0.5}])
    until(parent.all_ready, 10, "not ready")
    began = time.monotonic()
    parent.popen.terminate()
    assert parent.popen.wait(10) == 0
    assert 0.5 <= time.monotonic() - began < 3
    assert not parent.members()


def test_asked_twice_it_stops_at_once(start: Start) -> None:
    parent = start([{"name": "bus", "habits": ["stubborn"], "stop_timeout_s": 60}])
    until(parent.all_ready, 10, "not ready")
    parent.popen.terminate()
    time.sleep(0.3)
    parent.popen.terminate()
    assert parent.popen.wait(5) == 0
    assert not parent.members()
