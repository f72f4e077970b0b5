"""Files as people and accidents make them: always a Plant or problems, never anything else."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zhongshu.kernel.plantfile import PlantFileError, check_file, load_plant
from zhongshu.kernel.plantfile.problems import MOST_PROBLEMS, did_you_mean, dotted
from zhongshu.kernel.plantfile.source import read_source

MINIMAL = Path(__file__).parents[3] / "plants" / "minimal" / "plant.yaml"
TEXT = MINIMAL.read_text(encoding="utf-8")


def test_a_missing_file_and_a_directory_are_named(tmp_path: Path) -> None:
    (problem,) = check_file(tmp_path / "nowhere.yaml")
    assert "no such file" in problem.message
    assert problem.line == 0
    (problem,) = check_file(tmp_path)
    assert "directory" in problem.message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks_are_understood(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "plant.yaml"
    path.write_bytes(TEXT.encode(encoding))
    assert load_plant(path).name.zh == "示例工厂"


def test_windows_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "plant.yaml"
    path.write_bytes(TEXT.replace("\n", "\r\n").encode())
    assert load_plant(path).units == load_plant(MINIMAL).units
    path.write_bytes(TEXT.replace("\n", "\r\n").replace("cycle_s: 8", "cycle: 8").encode())
    wanted = next(i for i, line in enumerate(TEXT.splitlines(), 1) if "cycle_s: 8" in line)
    assert {p.line for p in check_file(path)} == {wanted}


def test_anchors_and_merges_work_and_keep_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "plant.yaml"
    text = TEXT.replace("      force: {label", "      force: &force {label") + (
        "point_groups:\n  more: {force_2: {<<: *force, high: 5}, force_3: *force}\n"
    )
    path.write_text(
        text.replace("include: [packml, job, energy]", "include: [packml, job, energy, more]"),
        encoding="utf-8",
    )
    points = {p.name: p for p in load_plant(path).units[0].points}
    assert (points["force_2"].uom, points["force_2"].high, points["force_3"].high) == ("kN", 5, 2000)


def test_a_problem_prints_like_a_compiler(tmp_path: Path) -> None:
    path = tmp_path / "plant.yaml"
    path.write_text(TEXT.replace("count: 2", "cuont: 2"), encoding="utf-8")
    (problem,) = check_file(path)
    assert str(problem) == (
        f"{path}:{problem.line}:{problem.column}: error: areas[0].lines[0].units[0].cuont: “cuont” means nothing here."
        "\n    → Did you mean “count”?"
    )
    assert TEXT.splitlines()[problem.line - 1][problem.column - 1 :].startswith("count: 2")


def test_at_most_fifty_problems_are_told(tmp_path: Path) -> None:
    path = tmp_path / "plant.yaml"
    path.write_text(TEXT + "".join(f"extra_{i}: 1\n" for i in range(80)), encoding="utf-8")
    with pytest.raises(PlantFileError) as caught:
        load_plant(path)
    assert (len(caught.value.problems), caught.value.more) == (MOST_PROBLEMS, 30)
    assert "and 30 more problems" in str(caught.value)


def test_problems_after_a_broken_entry_keep_their_index(tmp_path: Path) -> None:
    path = tmp_path / "plant.yaml"
    text = TEXT.replace(
        '{id: "press-{n}", type: press, count: 2, connection: presses}', "{id: broken, count: none}"
    )
    path.write_text(
        text.replace("type: packer, connection: packing", "type: paker, connection: packing"),
        encoding="utf-8",
    )
    found = {(p.path, p.line) for p in check_file(path)}
    line = next(i for i, row in enumerate(text.splitlines(), 1) if "id: packer" in row)
    assert ("areas[0].lines[0].units[1].type", line) in found
    assert ("areas[0].lines[0].units[0].count", line - 1) in found


def test_small_words() -> None:
    assert dotted(("areas", 2, "lines", 0, "units", 1, "count")) == "areas[2].lines[0].units[1].count"
    assert did_you_mean("wled", ["weld", "bend"]) == "Did you mean “weld”?"
    assert "define it under x" in did_you_mean("zzz", ["weld"], "under x")


@pytest.mark.parametrize("seed", range(40))
def test_mangled_files_give_problems_not_tracebacks(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    lines = TEXT.splitlines()
    for _ in range(chance.randint(1, 4)):
        i = chance.randrange(len(lines))
        lines[i] = chance.choice(
            [
                "",
                lines[i][chance.randint(0, len(lines[i])) :],
                lines[i].replace(":", "", 1),
                lines[i].replace("[", "{"),
            ]
            + [
                lines[i].replace(a, b)
                for a, b in (("1", "-1"), ("press", "{n}"), ("{", "["), ("2", "null"), ("s", ""))
            ]
        )
    path = tmp_path / "plant.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    for problem in check_file(path):
        assert problem.remedy
        assert problem.message
        assert 0 < problem.line <= len(lines) + 1


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=60))
def test_any_bytes_give_problems(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "plant.yaml"
    path.write_bytes(raw)
    assert check_file(path)


def test_files_that_explode_are_refused_quickly(tmp_path: Path) -> None:
    path = tmp_path / "plant.yaml"
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    laughs += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9))
    for text in (laughs, "[" * 3000, "a: " + "[" * 3000 + "]" * 3000, "a: &a {b: *a}"):
        path.write_text(text, encoding="utf-8")
        started = time.process_time()
        assert len(check_file(path)) == 1
        assert time.process_time() - started < 5


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 99)
    | st.floats(allow_nan=False)
    | st.sampled_from(["press", "{n}", "a / b"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "type", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_in_any_place_gives_problems(tmp_path: Path, data: st.DataObject) -> None:
    """Put something odd in the place of any value of a good file: the loader must survive it."""
    values = read_source(MINIMAL).values
    here = values
    while isinstance(here, dict | list) and here:
        key = data.draw(st.sampled_from(list(here) if isinstance(here, dict) else list(range(len(here)))))
        if not isinstance(here[key], dict | list) or not here[key] or data.draw(st.booleans()):
            here[key] = data.draw(_VALUES)
            break
        here = here[key]
    path = tmp_path / "plant.yaml"
    path.write_text(json.dumps(values), encoding="utf-8")  # JSON is YAML
    for problem in check_file(path):
        assert problem.remedy
