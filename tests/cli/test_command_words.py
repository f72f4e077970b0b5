"""`zhongshu command`: what is wrong with it is told before anything is proposed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.typed import MINIMAL, refused
from zhongshu.cli.command import _args
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.store import Store
from zhongshu.model.plant import Plant

KITCHEN = MINIMAL.parents[1] / "kitchen/plant.yaml"


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}")
    store.migrate()
    return assign_ids(load_plant(KITCHEN), store)


@pytest.mark.parametrize("by", ["", "  ", "\n", "x" * 65])
def test_who_asks_must_have_a_name(by: str, tmp_path: Path) -> None:
    assert "--by" in refused("command", "weld-01", "hold", "--by", by, "--data", tmp_path)


@pytest.mark.parametrize("verb", ["start_job", "transport", "explode", "HOLD"])
def test_only_some_verbs_are_for_people(verb: str, tmp_path: Path) -> None:
    assert "set_parameter" in refused("command", "weld-01", verb, "--by", "Li Wei", "--data", tmp_path)


@pytest.mark.parametrize(
    ("point", "value"),
    [
        ("nonsense", 1.0),
        ("weld_current", 1.0),
        ("weld_current_set", None),
        ("weld_current_set", float("nan")),
    ],
)
def test_a_parameter_is_a_writable_point_and_a_number(plant: Plant, point: str, value: float | None) -> None:
    with pytest.raises(SystemExit, match=r"weld_current_set \(40 to 350 A\)"):
        _args(plant, "weld-01", "set_parameter", point, value)


def test_a_good_parameter_becomes_the_points_id(plant: Plant) -> None:
    point = next(p for p in plant.unit_of["weld-01"].points if p.name == "weld_current_set")
    assert _args(plant, "weld-01", "set_parameter", point.name, 200.0) == {"point": point.id, "value": 200.0}
    assert _args(plant, "weld-01", "hold", "", None) == {}
