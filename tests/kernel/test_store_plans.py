"""Plans by version: one is live, scenarios wait, and what was in force before can be had back; on both databases."""

from __future__ import annotations

import threading

import pytest

from zhongshu.kernel.store import Store
from zhongshu.kernel.store.plans import (
    PlanGone,
    discard,
    forget_plans,
    live_plan,
    next_version,
    pack,
    plan,
    previous_live,
    release,
    save_plan,
    scenarios,
    unpack,
)

DOCUMENT = {"version": 1, "tasks": {"id": ["17:2"], "start": [-5]}, "cause": {"text": {"zh": "急单"}}}


def save(store: Store, status: str, made_ns: int = 1, plant: str = "p", **more: object) -> int:
    with store.begin() as session:
        return save_plan(
            session, plant, status=status, made_ns=made_ns, origin_ns=2**60, content=pack(DOCUMENT), **more  # type: ignore[arg-type]
        )  # fmt: skip


def statuses(store: Store, *versions: int) -> list[str]:
    with store.read() as session:
        return [row.status if (row := plan(session, "p", v)) else "gone" for v in versions]


def test_a_plan_comes_back_whole(store: Store) -> None:
    cause = {"kind": "urgent", "text": {"zh": "急单", "en": "urgent order"}, "t_ns": 2**60}
    edits = [{"kind": "pin", "task": "17:2"}, {"kind": "name", "name": "夜班"}]
    version = save(
        store, "scenario", base=7, name="夜班", cause=cause, kpis={"late": 2}, edits=edits, by="Li Na"
    )
    with store.read() as session:
        found = plan(session, "p", version)
        assert found is not None and unpack(found.content) == DOCUMENT
        assert (found.base, found.name, found.cause, found.edits, found.by) == (
            7,
            "夜班",
            cause,
            edits,
            "Li Na",
        )
        assert (found.kpis, found.origin_ns, found.released_ns) == ({"late": 2}, 2**60, None)
        assert [row.version for row in scenarios(session, "p")] == [version]


def test_versions_rise_in_each_plant_and_one_is_live(store: Store) -> None:
    assert [save(store, "live", n) for n in (1, 2)] == [1, 2]
    assert save(store, "live", plant="q") == 1
    assert save(store, "scenario", 3) == 3
    with store.read() as session:
        live = live_plan(session, "p")
        assert live is not None and live.version == 2 and next_version(session, "p") == 4
        assert live_plan(session, "nobody") is None and plan(session, "p", 99) is None
    assert statuses(store, 1, 2, 3) == ["superseded", "live", "scenario"]


def test_release_and_undo(store: Store) -> None:
    save(store, "live", 10)
    save(store, "live", 20)
    save(store, "scenario", 25)
    with store.begin() as session:
        released = release(session, "p", 3, "Li Na", 30)
        assert (released.by, released.released_ns) == ("Li Na", 30)
    assert statuses(store, 1, 2, 3) == ["superseded", "superseded", "live"]
    with store.begin() as session:
        before = previous_live(session, "p", 3)
        assert before is not None and before.version == 2
        release(session, "p", before.version, "Li Na", 40)
    assert statuses(store, 1, 2, 3) == ["superseded", "live", "superseded"]
    with store.read() as session:
        back = previous_live(session, "p", 2)
        assert back is not None and back.version == 3  # undo of an undo
        assert previous_live(session, "p", 99) is None


def test_a_plan_that_is_gone_is_not_released(store: Store) -> None:
    save(store, "live")
    save(store, "scenario")
    with store.begin() as session:
        discard(session, "p", 2)
    assert statuses(store, 2) == ["discarded"]
    for version in (2, 99):
        with pytest.raises(PlanGone, match=str(version)), store.begin() as session:
            release(session, "p", version, "x", 1)
    for version in (1, 2, 99):
        with pytest.raises(PlanGone), store.begin() as session:
            discard(session, "p", version)
    with store.begin() as session:
        release(session, "p", 1, "x", 99)  # live already: nothing changes
    with store.read() as session:
        live = live_plan(session, "p")
        assert live is not None and live.released_ns == 1


def test_old_plans_are_forgotten_the_live_and_the_scenarios_never(store: Store) -> None:
    save(store, "scenario")
    for n in range(6):
        save(store, "live", n)
    with store.begin() as session:
        assert forget_plans(session, "p", keep=2) == 3
    assert statuses(store, 1, 2, 4, 5, 6, 7) == [
        "scenario",
        "gone",
        "gone",
        "superseded",
        "superseded",
        "live",
    ]
    assert save(store, "live") == 8


def test_two_planners_never_share_a_version(store: Store) -> None:
    taken: list[int] = []
    threads = [
        threading.Thread(target=lambda: taken.extend(save(store, "live") for _ in range(10)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(1, 31))
    assert sorted(statuses(store, *taken)) == ["live"] + ["superseded"] * 29
