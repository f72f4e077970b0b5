"""What becomes of a decision: hops in order that add up, the first command by it, its orders' real ends."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.decide.planning.plants import NOW
from zhongshu.decide.planner.follow_up import FollowUp
from zhongshu.decide.planner.record import Decided
from zhongshu.kernel.clock import NS, ScaledClock
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.decisions import add_decision, decisions
from zhongshu.kernel.store.tables import Lot, WorkOrder
from zhongshu.model.decisions import HOPS
from zhongshu.model.messages import CommandChanged, OrderProgressed, PlanTaken, Proposed

SPEED = 10.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ScaledClock:
    """Wall time stands at one second after NOW."""
    monkeypatch.setattr(ScaledClock, "wall_ns", lambda self: NOW + NS)
    return ScaledClock(NOW, NOW, SPEED)


def plant_ns(wall_ms: int) -> int:
    """Plant time of so many wall ms after NOW."""
    return NOW + round(wall_ms * 1e6 * SPEED)


def wall_ns(ms: int) -> int:
    return NOW + ms * 1_000_000


def decided(**facts: Any) -> Decided:
    hops = {"measured": 0, "received": 20, "said": 320, "heard": 330, "woke": 440, "ready": 520}
    moved = {"list": [{"task": "4:1", "to": "coat-2"}]}
    plain = {
        "hops": {k: wall_ns(ms) for k, ms in hops.items()},
        "moved": moved,
        "orders": [],
        "open": True,
        "version": 7,
    }
    return Decided("plan-7", "breakdown", "coat-1", plain | facts)


def put(store: Store, one: Decided) -> None:
    with store.begin() as session:
        add_decision(session, "small", one.id, t_ns=NOW, rule=one.rule, subject=one.subject, facts=one.facts)


def facts(store: Store) -> dict[str, Any]:
    with store.read() as session:
        return decisions(session, "small")[0].facts


def proposed(name: str, at_ms: int, version: int, unit: str = "cut-1") -> Proposed:
    return Proposed(
        "small",
        "decide",
        plant_ns(at_ms),
        name,
        unit,
        "START_JOB",
        "{}",
        f"plan {version}",
        "",
        "lot:4",
        0,
        "brain",
    )


def stepped(name: str, status: str, at_ms: int) -> CommandChanged:
    return CommandChanged(
        "small", "act", plant_ns(at_ms), 55, name, "cut-1", "START_JOB", status, "", "lot:4"
    )


def test_hops_are_in_order_and_add_up(store: Store, clock: ScaledClock) -> None:
    up, one = FollowUp("small", store, clock), decided()
    put(store, one)
    up.took_effect(one, 7, wall_ns(540))
    for event in (
        proposed("job.1.0.0", 500, 6),  # by the plan before
        PlanTaken("small", "decide", plant_ns(700), 7, wall_ns(560), wall_ns(700)),
        proposed("job.1.0.1", 705, 6),  # nor this one, though it was heard later
        proposed("job.2.0.0", 710, 7),
        proposed("job.3.0.0", 720, 7),
        stepped("job.2.0.0", "proposed", 730),
        stepped("job.2.0.0", "approved", 740),
        stepped("job.2.0.0", "sent", 750),
        stepped("job.2.0.0", "accepted", 790),
        stepped("job.2.0.0", "proven", 1000),
    ):
        up.take(event)
    up.write(up.due())
    found = facts(store)
    hops = found["hops"]
    assert tuple(hops) == HOPS or set(hops) == set(HOPS)
    assert all(hops[a] <= hops[b] for a, b in pairwise(HOPS)), hops
    assert hops["proven"] - hops["measured"] == 1000 * 1_000_000, "wall time, whatever the plant's speed"
    assert sum(hops[b] - hops[a] for a, b in pairwise(HOPS)) == hops["proven"] - hops["measured"]
    assert found["first"]["proposal"] == "job.2.0.0"
    assert found["first"]["command"] == 55
    figures = up.figures()
    assert figures["since_measured_ms"]["in_force"] == {"p50": 540.0, "p95": 540.0, "n": 1}
    assert figures["hop_ms"]["taken"]["p50"] == 140.0


def test_the_first_machine_that_follows_is_that_of_a_re_routed_job(store: Store, clock: ScaledClock) -> None:
    up, one = FollowUp("small", store, clock), decided()
    put(store, one)
    up.took_effect(one, 7, wall_ns(540))
    up.take(PlanTaken("small", "decide", plant_ns(700), 7, wall_ns(560), wall_ns(700)))
    up.take(proposed("job.4.1.0", 710, 7, unit="coat-1"))  # not where it was re-routed to
    up.take(proposed("job.4.1.1", 800, 9, unit="coat-2"))  # by a later plan, but what this one wanted
    up.take(stepped("job.4.1.1", "proven", 900))
    up.write(up.due())
    follows = facts(store)["follows"]
    assert (follows["proposal"], follows["version"], follows["status"]) == ("job.4.1.1", 9, "proven")
    assert follows["hops"]["proven"] == wall_ns(900)


def test_nothing_is_followed_for_ever(store: Store, clock: ScaledClock) -> None:
    up, one = FollowUp("small", store, clock), decided()
    put(store, one)
    up.took_effect(one, 7, NOW - 3600 * NS)
    up.write(up.due())
    up.take(PlanTaken("small", "decide", NOW, 7, NOW, NOW))
    assert "taken" not in facts(store)["hops"]


ORDERS = [
    {"id": "W-1", "due_ns": NOW + 500 * NS, "was_ns": NOW, "expected_ns": NOW + 400 * NS, "actual_ns": None, "status": "open"},
    {"id": "W-2", "due_ns": NOW + 500 * NS, "was_ns": NOW, "expected_ns": NOW + 600 * NS, "actual_ns": None, "status": "open"},
]  # fmt: skip


def finished(order: str, at_s: int, status: str = "done") -> OrderProgressed:
    return OrderProgressed("small", "decide", NOW + at_s * NS, order, status, 5, 5)


def test_orders_real_ends_come_to_the_decision_when_they_are_done(store: Store, clock: ScaledClock) -> None:
    up, one = FollowUp("small", store, clock), decided(orders=ORDERS)
    put(store, one)
    up.took_effect(one, 7, wall_ns(540))
    up.write(up.due())
    assert facts(store)["open"]
    up.take(finished("W-1", 450))
    up.take(finished("W-9", 1))
    up.write(up.due())
    half = facts(store)
    assert half["open"]
    assert half["actual"] == {"done": 1, "of": 2, "late": 0, "expected_late": 0, "later_s": 50}
    up.take(finished("W-2", 550))
    up.write(up.due())
    whole = facts(store)
    assert not whole["open"]
    assert whole["actual"] == {"done": 2, "of": 2, "late": 1, "expected_late": 1, "later_s": 0}
    assert whole["orders"][1]["actual_ns"] == NOW + 550 * NS


def test_a_restart_forgets_no_open_decision(tmp_path: Path, clock: ScaledClock) -> None:
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.migrate()
    with store.begin() as session:
        for name, status in (("W-1", "done"), ("W-2", "cancelled")):
            session.add(WorkOrder(plant="small", id=name, product="hood", quantity=5, due_ns=NOW, status=status, created_ns=NOW))  # fmt: skip
        session.flush()
        session.add(
            Lot(
                plant="small",
                order_id="W-1",
                product="hood",
                quantity=5,
                status="stored",
                updated_ns=NOW + 300 * NS,
            )
        )
    put(store, decided(orders=ORDERS))
    up = FollowUp("small", store, clock)
    up.load()
    up.write(up.due())
    found = facts(store)
    assert not found["open"]
    assert [o["status"] for o in found["orders"]] == ["done", "cancelled"]
    assert found["orders"][0]["actual_ns"] == NOW + 300 * NS
    assert found["actual"]["done"] == 1
    store.close()
