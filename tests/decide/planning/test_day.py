"""The kitchen's day is what the benchmark says: its size, everything a plan must respect in force at once, its loads."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from bench.plant_day import LOCAL_UNIT, NOW_NS, day, in_force, loads, rules
from zhongshu.decide.planning.build import Built, build
from zhongshu.decide.scheduling.problem import AT_HAND
from zhongshu.decide.scheduling.validate import problems_of
from zhongshu.decide.work import LotStatus, Work
from zhongshu.model.plant import Plant

#: A day for the benchmark is 14:30 to 22:30.
DAY_S = 8 * 3600
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module", params=SEEDS)
def made(request: pytest.FixtureRequest) -> tuple[Plant, Work, Built]:
    plant, work, now = day(request.param)
    return plant, work, build(plant, work, now, rules(work, request.param), in_force(plant, work))


def test_it_is_large_and_well_formed(made: tuple[Plant, Work, Built]) -> None:
    plant, _, built = made
    problem = built.problem
    assert len(problem.tasks) >= 2000
    assert len(problem.units) == 264
    assert len(problem.vehicles) == 20
    assert built.origin_ns == NOW_NS
    assert problems_of(problem) == ()
    assert {len(column) for column in (built.tasks, problem.tasks)} == {len(built.tasks)}
    assert len(built.carried) == len(problem.arcs)
    assert set(plant.unit_of) >= set(built.units)


def test_the_same_seed_is_the_same_day() -> None:
    first, second, other = (build(*day(seed)).problem for seed in (1, 1, 2))
    assert first == second
    assert first.tasks != other.tasks


def test_everything_is_in_force_at_once(made: tuple[Plant, Work, Built]) -> None:
    _, _, built = made
    problem = built.problem
    soon = [c for u in problem.units for c in u.closed if c.start < DAY_S]
    assert {c.resumable for c in soon} == {True, False}, "breaks, and maintenance"
    assert any(not u.closed for u in problem.units), "ovens never stop"
    assert {t.interruptible for t in problem.tasks} == {True, False}
    assert any(len({m.duration for m in t.modes}) > 1 for t in problem.tasks), "alternatives differ"
    ovens = Counter(u.capacity for u in problem.units if u.capacity)
    assert sum(ovens.values()) == 13
    assert sum(u.setups >= 0 for u in problem.units) > 100
    pairs = [(m[a][b], m[b][a]) for m in problem.setups for a in range(len(m)) for b in range(a)]
    assert any(there != back for there, back in pairs), "dark to light takes longer"
    assert all(u.buffer_in is not None and u.buffer_out is not None for u in problem.units)
    arcs = problem.arcs
    assert sum(a.lag_max is not None for a in arcs) >= 40, "coat to cure"
    assert sum(a.overlap is not None for a in arcs) >= 40, "transfer lots"
    assert sum(a.moves for a in arcs) > 1500
    assert {p.name for p in problem.pools} >= {"crew-press", "die-case", "fixture-tower", "power"}
    assert any(len(p.levels) > 1 for p in problem.pools), "people by shift"
    assert any(m.arrivals for m in problem.materials)
    assert sum(bool(t.consumes) for t in problem.tasks) > 300
    assert len({p for _, p in problem.prices}) == 3
    assert any(j.release > 0 for j in problem.jobs)
    assert len({j.weight for j in problem.jobs}) >= 4
    assert sum(p.started for p in problem.pins) >= 20
    assert sum(not p.started for p in problem.pins) >= 1
    assert built.broken_rules == ()
    assert sum(len(tasks) for _, tasks in problem.frozen) >= 10
    assert len(problem.previous) >= 10


def test_trees_join_where_parts_enter(made: tuple[Plant, Work, Built]) -> None:
    _, _, built = made
    into = Counter(a.after for a in built.problem.arcs if a.moves)
    assert max(into.values()) >= 2
    lots = {ref.lot for ref in built.tasks}
    assert sum(number < 0 for number in lots) > 200, "orders not released are planned as well"


def test_lots_stand_everywhere(made: tuple[Plant, Work, Built]) -> None:
    _, work, built = made
    of = Counter(lot.status for lot in work.lots.values())
    assert all(
        of[s] >= 5 for s in (LotStatus.RUNNING, LotStatus.WAITING, LotStatus.FINISHED, LotStatus.MOVING)
    ), of
    hand = [a for a in built.problem.arcs if a.before == AT_HAND]
    assert {a.moves for a in hand} == {True, False}
    assert any(a.ready > 0 for a in hand), "on a vehicle"
    assert not any(work.commandable(u) for u in (LOCAL_UNIT,))
    local = built.units.index(LOCAL_UNIT)
    free = [t for t in built.problem.tasks if len(t.modes) > 1]
    assert all(m.unit != local for t in free for m in t.modes)


def test_coating_limits_the_day(made: tuple[Plant, Work, Built]) -> None:
    plant, _, built = made
    load = loads(plant, built, DAY_S)
    print({name: round(share, 2) for name, share in sorted(load.items(), key=lambda x: -x[1])[:8]})
    assert max(load, key=lambda name: load[name]) == "coat"
    assert 0.85 <= load["coat"] <= 1.0
    others = sorted((share for name, share in load.items() if name != "coat"), reverse=True)
    assert others[0] < 0.75
    assert others[7] > 0.2, "and many others have work enough to be in the way"
    moves = sum(a.moves for a in built.problem.arcs)
    assert moves * 100 / 20 / DAY_S < 0.6, "vehicles alone do not limit it"


def test_durations_are_the_plans_nominal_ones(made: tuple[Plant, Work, Built]) -> None:
    """Nothing of twin.yaml is in the problem: every duration follows from the plant file."""
    plant, _, built = made
    seen: defaultdict[str, set[int]] = defaultdict(set)
    for task, ref in zip(built.problem.tasks, built.tasks, strict=True):
        lot = built.lots[ref.lot]
        step = plant.product_of[lot.product].routing[ref.step]
        if step.capability == "draw":
            seen[step.capability] |= {m.duration for m in task.modes if lot.good == 10}
    assert seen["draw"] == {1000}
