"""twin.yaml is checked as a whole, with lines and remedies; the demo plant's own file is sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.twin.small import small_plant
from zhongshu.kernel.plantfile import PlantFileError, load_plant
from zhongshu.twin.settings import TwinTruth, load_truth

_PLANTS = Path(__file__).parents[2] / "plants"


def _problems(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "twin.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlantFileError) as caught:
        load_truth(path, small_plant())
    return [str(p) for p in caught.value.problems]


def test_the_demo_plants_file_is_sound() -> None:
    plant = load_plant(_PLANTS / "kitchen" / "plant.yaml")
    truth = load_truth(_PLANTS / "kitchen" / "twin.yaml", plant)
    assert set(truth.types) < set(plant.type_of)
    assert truth.customer.burst > 0


def test_types_inherit_what_they_leave_out(tmp_path: Path) -> None:
    path = tmp_path / "twin.yaml"
    path.write_text("machines: {scrap: 0.5, mtbf_h: 7}\ntypes: {press: {scrap: 0.25}}\n", encoding="utf-8")
    truth = load_truth(path, small_plant())
    assert (truth.of("press").scrap, truth.of("press").mtbf_h) == (0.25, 7)
    assert (truth.of("washer").scrap, truth.of("washer").repair_min) == (0.5, TwinTruth().machines.repair_min)


def test_problems_name_line_path_and_remedy(tmp_path: Path) -> None:
    (range_problem,) = _problems(tmp_path, "seed: 1\nmachines:\n  scrap: 3\n")
    assert ":3:" in range_problem
    assert "machines.scrap" in range_problem
    (unknown,) = _problems(tmp_path, "machines: {scarp: 0.1}\n")
    assert "machines.scarp" in unknown
    (kind,) = _problems(tmp_path, "seed: 1\ntypes:\n  pres: {scrap: 0.1}\n")
    assert ":3:" in kind
    assert "press" in kind
    (product,) = _problems(tmp_path, "customer: {mix: {part: 1}}\n")
    assert "part" in product  # a part cannot be ordered
    assert len(_problems(tmp_path, "machines: {scrap: 2, mtbf_h: -1}\n")) == 2
    (order,) = _problems(tmp_path, "customer: {lots_min: 5, lots_max: 2}\n")
    assert "lots_min" in order
    assert _problems(tmp_path, "a: [\n")
