"""Which policies run: the plant's, those of a file of somebody's own, less those switched off; what is wrong is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.decide.policies.scene import TEXT, Scene, plant
from zhongshu.decide.policies import ALL, Ask, PolicyError, switched_on
from zhongshu.kernel.plantfile import PlantFileError, load_plant

OWN = '''
from zhongshu.decide.policies import Ask, Policy, Setting


class Curfew(Policy):
    """All presses sleep."""

    name = "curfew"
    SETTINGS = {"from_percent": Setting(5.0, 0.0, "wear")}

    def advise(self, facts):
        for unit in facts.plant.machines:
            wear = facts.value(unit.id, "wear")
            if wear is not None and wear >= self.set("from_percent"):
                yield Ask(unit.id, "standby_set", 1.0, "it is late")
'''


def names(**said: dict[str, str | float]) -> list[str]:
    return [p.name for p in switched_on(replace(plant(), policies=said))]


def test_a_plant_that_says_nothing_has_no_policies() -> None:
    assert switched_on(plant()) == []


def test_a_plant_switches_on_by_name_with_its_own_numbers() -> None:
    said = replace(plant(), policies={"standby": {"gap_min": 20}, "preheat": {}})
    found = switched_on(said)
    assert [p.name for p in found] == ["preheat", "standby"]
    assert (
        found[1].set("gap_min") == 20.0
        and found[1].set("early_min") == ALL["standby"].SETTINGS["early_min"].default
    )


def test_one_can_be_switched_off_whether_the_plant_has_it_or_not() -> None:
    said = replace(plant(), policies={"standby": {}, "preheat": {}})
    assert [p.name for p in switched_on(said, without=["standby"])] == ["preheat"]
    assert [p.name for p in switched_on(said, without=["peak"])] == ["preheat", "standby"]
    with pytest.raises(PolicyError, match=r"no policy 'stand-by' to do without; did you mean 'standby'"):
        switched_on(said, without=["stand-by"])


def test_a_policy_that_there_is_not_is_told_with_the_one_meant() -> None:
    with pytest.raises(
        PolicyError, match=r"policies.pre-heat: there is no such policy; did you mean 'preheat'"
    ):
        names(**{"pre-heat": {}})


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "curfew.py").write_text(OWN, encoding="utf-8")
    (found,) = switched_on(plant(), files=[tmp_path / "curfew.py"])
    scene = Scene()
    assert list(found.advise(scene.facts())) == [
        Ask("press-1", "standby_set", 1.0, "it is late"),
        Ask("press-2", "standby_set", 1.0, "it is late"),
    ]
    assert switched_on(plant(), without=["curfew"], files=[tmp_path / "curfew.py"]) == []


def test_the_plant_file_names_a_file_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plant.yaml").write_text(
        TEXT + "policies: {curfew: {file: curfew.py, from_percent: 50}, peak: {cap_kw: 400}}\n",
        encoding="utf-8",
    )
    (tmp_path / "curfew.py").write_text(OWN, encoding="utf-8")
    monkeypatch.chdir("/")
    found = switched_on(load_plant(tmp_path / "plant.yaml"))
    assert [(p.name, next((n, p.set(n)) for n in p.SETTINGS)) for p in found] == [
        ("peak", ("cap_kw", 400.0)),
        ("curfew", ("from_percent", 50.0)),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "there is no such file"),
        ("def advise(:", r"own\.py:1: SyntaxError"),
        ("import math\n\n1 / 0", r"own\.py:3: ZeroDivisionError"),
        ("x = 1", "no policy in it; write a class"),
        (
            "from zhongshu.decide.policies import Policy\nclass A(Policy):\n    name = 'a'",
            "needs a name = .* and a method",
        ),
        (OWN, "has no policy of that name, but: curfew"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(tmp_path: Path, text: str | None, told: str) -> None:
    path = tmp_path / "own.py"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=told):
        switched_on(replace(plant(), policies={"own": {"file": str(path)}}))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "point: standby_set, work: 0, rest: 1",
            "point: sleep_set, work: 0, rest: 1",
            "no point of this type",
        ),
        ("point: standby_set, work: 0, rest: 1", "point: power, work: 0, rest: 1", "not writable"),
        ("work: 0, rest: 1,", "work: 0, rest: 2,", "does not take 2: its limits are 0 … 1"),
        ("work: 0, rest: 1,", "work: 1, rest: 1,", "are the same"),
        ("measured: chamber_temperature,", "measured: heat,", "heat"),
        ("service: {point: service_set", "service: {point: power", "not writable"),
        ("wake_min: 3", "wake_min: 0", "wake_min"),
    ],
)
def test_rest_and_service_are_checked_against_the_points(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert old in TEXT
    (tmp_path / "plant.yaml").write_text(TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(PlantFileError, match=told):
        load_plant(tmp_path / "plant.yaml")
