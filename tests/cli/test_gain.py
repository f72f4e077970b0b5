"""`make gain`: intervals over days, differences day by day, and nothing kept of another version."""

from __future__ import annotations

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

    def rehearse(run: Run, hours: float) -> dict[str, Any]:
        if len(ran) == 2:
            raise KeyboardInterrupt
        ran.append(run)
        return figures(0.5, hours)

    monkeypatch.setattr(gain, "_rehearse", rehearse)
    runs = [Run("brain", seed) for seed in (1, 2, 3)]
    with pytest.raises(KeyboardInterrupt):
        gain.rehearsed(runs, tmp_path, 2.0, 1)
    monkeypatch.setattr(gain, "_rehearse", lambda run, hours: ran.append(run) or figures(0.5, hours))
    assert len(gain.rehearsed(runs, tmp_path, 2.0, 1)) == 3
    assert sorted(run.seed for run in ran) == [1, 2, 3], "what was there was not run again"
