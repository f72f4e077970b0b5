"""`make gain`: intervals over days, differences day by day, and nothing kept of another version."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from bench import gain
from bench.gain import FIGURES, Run, interval, section


def figures(on_time: float, tardiness: float, **more: float) -> dict[str, Any]:
    base = {name: 1.0 for name, *_ in FIGURES} | {"orders": 100, "breakdowns": 20, "times_real": 300}
    return base | {"on_time_share": on_time, "weighted_tardiness": tardiness} | more


def test_the_interval_of_a_mean() -> None:
    low, high = interval([1.0, 2.0, 3.0])
    assert (low, high) == pytest.approx((2 - 4.303 / 3**0.5, 2 + 4.303 / 3**0.5))
    assert interval([5.0]) == (float("-inf"), float("inf"))


def test_a_day_is_compared_with_itself() -> None:
    """Days differ by far more than ways do: the difference of the means would tell nothing."""
    results = {}
    for seed, hard in ((1, 0.0), (2, 40.0), (3, 80.0)):
        results[Run("best-rule", seed)] = figures(0.8, 10 + hard, energy_cost=100 + hard)
        results[Run("brain", seed)] = figures(
            0.9 - seed / 1000, 5 + hard - seed / 10, energy_cost=103 + hard + seed
        )
    text = section(results, 16, "here")
    assert "| weighted tardiness, h | **-5.2 (" in text
    assert "| energy, CNY | *+5 (" in text
    assert "Worse, with an interval that excludes zero: energy, CNY (best-rule)." in text


def test_what_a_policy_is_worth_is_what_is_lost_without_it() -> None:
    results = {}
    for seed in (1, 2, 3):
        results[Run("brain", seed)] = figures(0.9, 5, energy_cost=100 + seed)
        results[Run("brain", seed, "standby")] = figures(0.9, 5, energy_cost=120 + seed + seed / 10)
    text = section(results, 16, "here")
    assert "| without standby |" in text
    assert "| energy, CNY | **+20 (+20 – +20)** |" in text, "more energy without it speaks for the policy"


def test_interrupted_runs_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Run] = []
    kept = tmp_path / "runs" / "gain.jsonl"

    def said(run: Run) -> dict[str, Any]:
        ran.append(run)
        named = {"policy": run.policy, "seed": run.seed, "without": [run.without] if run.without else []}
        return figures(0.5, 2.0) | named

    def rehearse(run: Run, hours: float) -> dict[str, Any]:
        if len(ran) == 2:
            raise KeyboardInterrupt
        return said(run)

    monkeypatch.setattr(gain, "_rehearse", rehearse)
    runs = [Run("brain", 1), Run("brain", 1, "standby"), Run("brain", 2), Run("best-rule", 2)]
    with pytest.raises(KeyboardInterrupt):
        gain.rehearsed(runs, kept, 2.0, 1)
    with kept.open("a") as file:
        file.write('{"policy": "brain", "seed": 9')  # the machine went down in the middle of a line
    monkeypatch.setattr(gain, "_rehearse", lambda run, hours: said(run))
    for _ in range(2):
        assert set(gain.rehearsed(runs, kept, 2.0, 1)) == set(runs)
    assert sorted(ran, key=str) == sorted(runs, key=str), "what was there was not run again"


def test_the_fingerprint_is_of_what_a_rehearsal_loads(tmp_path: Path) -> None:
    """Another version's figures are never mixed in; what no rehearsal loads changes nothing."""
    files = gain.loaded()
    names = {path.name for path in files}
    assert {"follow.py", "repair.py", "customer.py", "stage.py"} <= names
    assert not any("web" in path.parts or "historian" in path.parts for path in files)
    copies = [shutil.copy(path, tmp_path / path.name) for path in (gain.PLANT, gain.ROOT / "Makefile")]
    before = gain.digest(copies)
    assert before == gain.digest(copies[::-1])
    copies[0].open("a").write("# another\n")
    assert before != gain.digest(copies)
