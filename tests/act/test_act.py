"""The life of a command with a device that answers, refuses, keeps silent or loses the answer; and the process dying in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from sqlalchemy import select

from tests.decide.small_plant import make_plant
from zhongshu.act.act import Act
from zhongshu.act.book import CommandBook
from zhongshu.act.life import StepNotAllowed
from zhongshu.kernel.clock import wall_clock
from zhongshu.kernel.latest import Latest
from zhongshu.kernel.memory_bus import MemoryBus
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Command, CommandStep
from zhongshu.kernel.wire import publish_event
from zhongshu.model import roles
from zhongshu.model.batch import Batch
from zhongshu.model.commands import Answer, Call, CommandStatus, Outcome, Result
from zhongshu.model.messages import Proposed
from zhongshu.model.states import JobState, UnitMode, UnitState

PLANT = make_plant({"cut-1": "a-cut"}, vehicles=1)
CLOCK = wall_clock()


class Device:
    """A machine behind a Writer: it compares keys, and its answers can be lost on the way."""

    def __init__(self, latest: Latest) -> None:
        self.latest = latest
        self.asked: list[int] = []
        self.started: list[int] = []
        self.refuse = Result.OK
        self.lose_answers = 0
        self.connected = True
        self.shows_effect = True
        self.measure(roles.UNIT_MODE, UnitMode.PRODUCTION)
        self.measure(roles.UNIT_STATE, UnitState.IDLE)

    async def call(self, call: Call) -> Answer:
        """Take a request as a device would."""
        if not self.connected:
            return Answer(Outcome.NOT_SENT, reason="no connection")
        self.asked.append(call.key)
        if self.refuse is not Result.OK:
            return Answer(Outcome.REFUSED, self.refuse, "not now")
        if call.key not in self.started:
            self.started.append(call.key)
        if self.shows_effect:
            self.measure(roles.JOB_KEY, call.key)
            self.measure(roles.JOB_STATE, JobState.RUNNING)
        if self.lose_answers:
            self.lose_answers -= 1
            return Answer(Outcome.UNKNOWN, reason="timeout")
        return Answer(Outcome.ACCEPTED)

    async def write(self, point: int, value: float) -> Answer:
        """Not used here."""
        return Answer(Outcome.REFUSED)

    def measure(self, role: str, value: float, quality: int = 0) -> None:
        """The point of that role is measured now."""
        point = PLANT.role(PLANT.unit_of["cut-1"], role)
        assert point is not None
        now = CLOCK.now_ns()
        self.latest.update(
            Batch(
                "small",
                "c",
                1,
                now,
                np.array([point.id], np.int32),
                np.array([now]),
                np.array([float(value)]),
                np.array([quality], np.uint8),
            )
        )


class Bench:
    """A bus, a store and a device that outlive the Act under test."""

    def __init__(self, store: Store) -> None:
        self.bus = MemoryBus()
        self.store = store
        self.latest = Latest(PLANT)
        self.device = Device(self.latest)

    @asynccontextmanager
    async def act(self) -> AsyncIterator[Act]:
        """A running Act; leaving ends it wherever it is."""
        act = Act(PLANT, self.bus, self.store, CLOCK, self.latest, {"c": self.device})
        task = asyncio.create_task(act.run())
        try:
            yield act
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def propose(self, name: str = "job.1.0.0", valid_s: float = 60) -> None:
        """What decide would say."""
        args = json.dumps({"lot": 1, "product": 1, "operation": 10, "quantity": 5})
        now = CLOCK.now_ns()
        expires = now + round(valid_s * 1e9)
        event = Proposed(
            "small", "decide", now, name, "cut-1", "START_JOB", args, "test", "test", "lot:1", expires, "test"
        )
        await publish_event(self.bus, event, msg_id=f"proposal.{name}")

    def steps(self) -> list[str]:
        """All steps in the book, in order."""
        with self.store.read() as session:
            return list(session.scalars(select(CommandStep.status).order_by(CommandStep.id)))

    def status(self) -> str | None:
        """Of the only command."""
        with self.store.read() as session:
            return session.scalar(select(Command.status))

    async def until(self, status: str, seconds: float = 8.0) -> None:
        """Wait for the only command to be there."""
        for _ in range(round(seconds / 0.02)):
            if await asyncio.to_thread(self.status) == status:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{self.status()} after {seconds} s, steps {self.steps()}, expected {status}")


@pytest.fixture
def bench(store: Store) -> Bench:
    """A fresh bench on each kind of database."""
    return Bench(store)


async def test_a_command_goes_the_whole_way_to_its_proof(bench: Bench) -> None:
    async with bench.act():
        await bench.propose()
        await bench.until("proven")
    assert bench.steps() == ["proposed", "approved", "sent", "accepted", "proven"]
    assert bench.device.started == [1]


async def test_a_refusal_keeps_the_device_s_reason(bench: Bench) -> None:
    bench.device.refuse = Result.NO_MATERIAL
    async with bench.act():
        await bench.propose()
        await bench.until("refused")
    with bench.store.read() as session:
        assert "no_material" in (session.scalar(select(Command.detail)) or "")


async def test_a_lost_answer_is_asked_again_with_the_same_key_and_starts_one_job(bench: Bench) -> None:
    bench.device.lose_answers, bench.device.shows_effect = 1, False
    async with bench.act():
        await bench.propose()
        await bench.until("accepted")
        assert bench.device.asked == [1, 1]
        assert bench.device.started == [1]
        bench.device.measure(roles.JOB_KEY, 1)
        bench.device.measure(roles.JOB_STATE, JobState.SETUP)
        await bench.until("proven")


async def test_an_accepted_command_without_effect_ends_unknown_and_a_later_measurement_ends_that(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zhongshu.act.effects.PATIENCE_OTHERS_S", 0.3)
    bench.device.shows_effect = False
    async with bench.act() as act:
        await bench.propose()
        await bench.until("unknown")
        assert act.unknown == 1
        bench.device.measure(roles.JOB_KEY, 1)
        bench.device.measure(roles.JOB_STATE, JobState.RUNNING)
        await bench.until("proven")
        assert act.unknown == 0


async def test_a_key_with_the_state_of_the_job_before_proves_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zhongshu.act.effects.PATIENCE_OTHERS_S", 0.5)
    bench.device.shows_effect = False
    bench.device.measure(roles.JOB_STATE, JobState.DONE)
    async with bench.act():
        await bench.propose()
        await bench.until("accepted")
        bench.device.measure(roles.JOB_KEY, 1)
        await bench.until("unknown")


async def test_bad_quality_proves_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhongshu.act.effects.PATIENCE_OTHERS_S", 0.5)
    bench.device.shows_effect = False
    async with bench.act():
        await bench.propose()
        await bench.until("accepted")
        bench.device.measure(roles.JOB_KEY, 1, quality=2)
        bench.device.measure(roles.JOB_STATE, JobState.RUNNING, quality=2)
        await bench.until("unknown")


async def test_what_could_not_be_sent_before_its_validity_ended_expires(bench: Bench) -> None:
    bench.device.connected = False
    async with bench.act():
        await bench.propose(valid_s=1)
        await bench.until("expired")
    assert bench.device.asked == []


async def test_a_unit_in_local_mode_gets_nothing(bench: Bench) -> None:
    bench.device.measure(roles.UNIT_MODE, UnitMode.LOCAL)
    async with bench.act():
        await bench.propose()
        await bench.until("refused")
    assert bench.device.asked == []


async def test_the_same_proposal_twice_is_one_command(bench: Bench) -> None:
    async with bench.act():
        await bench.propose("job.1.0.0")
        await bench.until("proven")
    await publish_again(bench)
    async with bench.act() as act:
        await asyncio.sleep(0.3)
        assert act.counts["proven"] == 1  # those of an earlier life count too
    assert bench.device.started == [1]
    with bench.store.read() as session:
        assert len(list(session.scalars(select(Command.key)))) == 1


async def publish_again(bench: Bench) -> None:
    """The proposal once more, under another message id, as after the bus's memory of ids has passed."""
    args = json.dumps({"lot": 1, "product": 1, "operation": 10, "quantity": 5})
    now = CLOCK.now_ns()
    event = Proposed(
        "small",
        "decide",
        now,
        "job.1.0.0",
        "cut-1",
        "START_JOB",
        args,
        "test",
        "test",
        "lot:1",
        now + 60_000_000_000,
        "test",
    )
    await publish_event(bench.bus, event, msg_id="again")


@pytest.mark.parametrize("moment_s", [0.0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.25, 0.4])
async def test_dying_at_any_moment_forgets_nothing_and_starts_one_job(bench: Bench, moment_s: float) -> None:
    bench.device.lose_answers = 1
    async with bench.act():
        await bench.propose()
        await asyncio.sleep(moment_s)
    async with bench.act():
        await bench.until("proven")
    assert bench.device.started == [1]


def test_a_step_is_refused_where_the_store_knows_a_later_one(store: Store) -> None:
    book = CommandBook("small", store, CLOCK)
    args = json.dumps({"lot": 1, "product": 1, "operation": 10, "quantity": 5})
    now = CLOCK.now_ns()
    wish = Proposed(
        "small", "decide", now, "p", "cut-1", "START_JOB", args, "", "", "lot:1", now + 10**12, "x"
    )
    entered = book.enter(wish, 1)
    assert entered is not None and book.enter(wish, 2) is None and book.position() == 2
    approved = book.approve(entered, "ladder")
    assert (approved.status, approved.approved_by) == (CommandStatus.APPROVED, "ladder")
    with pytest.raises(StepNotAllowed):
        book.step(entered, CommandStatus.REFUSED, "from somebody who knows less")
    with pytest.raises(StepNotAllowed):
        book.step(approved, CommandStatus.PROVEN, "never sent")
    with store.read() as session:
        assert list(session.scalars(select(CommandStep.status))) == ["proposed", "approved"]
        row = session.get_one(Command, entered.call.key)
        assert (row.status, row.approved_by, row.ended_ns) == ("approved", "ladder", None)
