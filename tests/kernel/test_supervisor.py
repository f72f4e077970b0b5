"""The supervisor inside this process: order, readiness, back-off, logs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from zhongshu.kernel import rotation, supervisor
from zhongshu.kernel.rotation import rotate
from zhongshu.kernel.supervisor import Child, Supervisor


@asynccontextmanager
async def supervised(*children: Child, logs: Path) -> AsyncIterator[Supervisor]:
    made = Supervisor(children, logs=logs)
    running = asyncio.create_task(made.run())
    yield made
    made.request_stop()
    await asyncio.wait_for(running, 10)


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


SLEEP = python("import time; time.sleep(600)")


async def test_nobody_starts_before_what_it_needs_is_ready(tmp_path: Path) -> None:
    open_ = False

    async def ready() -> bool:
        return open_

    async with supervised(
        Child("a", SLEEP, ready=ready), Child("b", SLEEP, after=("a",)), logs=tmp_path
    ) as made:
        await asyncio.sleep(0.4)
        assert {name: str(s.state) for name, s in made.status().items()} == {"a": "starting", "b": "waiting"}
        open_ = True
        await asyncio.wait_for(made.wait_ready(), 5)
    assert {str(s.state) for s in made.status().values()} == {"stopped"}


async def test_back_off_grows_to_its_limit_and_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "BACK_OFF_S", 0.05)
    monkeypatch.setattr(supervisor, "BACK_OFF_LIMIT_S", 0.2)
    count = python("import sys, time; print(time.monotonic(), flush=True); sys.exit(3)")
    async with supervised(Child("a", count), logs=tmp_path) as made:
        async with asyncio.timeout(20):
            while made.status()["a"].restarts < 6:
                await asyncio.sleep(0.02)
        assert made.status()["a"].last_exit == 3
    starts = [float(line) for line in (tmp_path / "a.log").read_text().split()]
    pauses = [b - a for a, b in pairwise(starts)]
    assert pauses[0] < pauses[2]
    assert all(0.2 < pause < 1.0 for pause in pauses[2:])


async def test_a_program_that_does_not_exist_does_not_stop_the_others(tmp_path: Path) -> None:
    async with supervised(Child("a", ("/no/such/program",)), Child("b", SLEEP), logs=tmp_path) as made:
        async with asyncio.timeout(5):
            while made.status()["a"].restarts < 1 or made.status()["b"].state != "ready":
                await asyncio.sleep(0.02)


async def test_never_ready_is_killed_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "READY_LIMIT_S", 0.3)
    asked = 0

    async def ready() -> bool:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise RuntimeError("a question may fail")
        return False

    async with supervised(Child("a", SLEEP, ready=ready), logs=tmp_path) as made:
        async with asyncio.timeout(5):
            while made.status()["a"].restarts < 2:
                await asyncio.sleep(0.02)
        assert made.status()["a"].last_exit == -9


async def test_a_question_that_swallows_its_cancellation_does_not_prevent_the_stop(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def ready() -> bool:
        asked.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass
        return True

    async with supervised(Child("a", SLEEP, ready=ready), logs=tmp_path) as made:
        await asyncio.wait_for(asked.wait(), 5)
    await asyncio.sleep(0.5)
    assert (made.status()["a"].state, made.status()["a"].restarts) == ("stopped", 0)
    assert made.status()["a"].pid is None


async def test_a_child_that_cannot_work_is_restarted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "HEALTH_POLL_S", 0.05)
    answers = iter([True, True, False])

    async def healthy() -> bool:
        return next(answers, True)

    async with supervised(Child("a", SLEEP, healthy=healthy), logs=tmp_path) as made:
        async with asyncio.timeout(5):
            while made.status()["a"].restarts < 1 or made.status()["a"].state != "ready":
                await asyncio.sleep(0.02)
        assert made.status()["a"].last_exit == -15
        await asyncio.sleep(0.3)
        assert made.status()["a"].restarts == 1


async def test_environment_and_output(tmp_path: Path) -> None:
    code = "import os, sys, time; print(os.environ['WORD'], flush=True); print('oops', file=sys.stderr, flush=True); time.sleep(600)"
    async with supervised(Child("a", python(code), env={"WORD": "中枢"}), logs=tmp_path):
        (tmp_path / "a.log").touch()
        async with asyncio.timeout(5):
            while "oops" not in (tmp_path / "a.log").read_text(encoding="utf-8"):
                await asyncio.sleep(0.02)
    assert set((tmp_path / "a.log").read_text(encoding="utf-8").split()) == {"中枢", "oops"}


async def test_logs_stay_bounded_while_a_child_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "ROTATE_S", 0.05)
    monkeypatch.setattr(supervisor, "rotate", lambda log: rotate(log, limit_bytes=50_000, keep=2))
    code = "import time\nfor i in range(10**9): print('x' * 999, flush=True); time.sleep(0.001)"
    async with supervised(Child("a", python(code)), logs=tmp_path):
        async with asyncio.timeout(20):
            while not (tmp_path / "a.log.2").exists():
                await asyncio.sleep(0.02)
        await asyncio.sleep(1)
        sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(sizes) == {"a.log", "a.log.1", "a.log.2"}
    assert max(sizes.values()) < 500_000


def test_rotation_moves_whole_content(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    assert not rotate(log)
    for content in ("one", "two", "three", "four"):
        log.write_text(content)
        assert rotate(log, limit_bytes=2, keep=2)
        assert log.read_text() == ""
    assert (tmp_path / "a.log.1").read_text() == "four"
    assert (tmp_path / "a.log.2").read_text() == "three"
    assert not (tmp_path / "a.log.3").exists()
    assert not rotate(log)
    assert rotation.KEEP >= 1


@pytest.mark.parametrize(
    ("children", "said"),
    [
        ((Child("a", SLEEP, after=("b",)), Child("b", SLEEP, after=("a",))), "wait for one another"),
        ((Child("a", SLEEP, after=("c",)),), "unknown ones: c"),
        ((Child("a", SLEEP), Child("a", SLEEP)), "same name"),
    ],
)
def test_impossible_orders_are_refused(children: tuple[Child, ...], said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        Supervisor(children, logs=tmp_path)
