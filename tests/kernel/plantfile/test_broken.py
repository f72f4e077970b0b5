"""Every file in broken/ says in its first lines which problems must be found in it: exactly those, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from zhongshu.kernel.plantfile import PlantFileError, check_file, load_plant

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))


def expected(path: Path) -> list[tuple[str, int, str, str]]:
    raw = path.read_bytes()
    text = raw.decode("utf-16", "replace") if raw[:2] == b"\xff\xfe" else raw.decode("latin-1")
    found = []
    for line in text.splitlines():
        kind, colon, rest = line.lstrip("# ").partition(": ")
        if not colon or kind not in ("error", "warning"):
            break
        number, place, remedy = (part.strip() for part in rest.split("|"))
        found.append((kind, int(number), place, remedy))
    return found


def test_there_are_enough_of_them() -> None:
    assert len(BROKEN) >= 40


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_each_problem_is_named_with_line_path_and_remedy(path: Path) -> None:
    wanted = expected(path)
    assert wanted, "the file says nothing of what is wrong with it"
    problems = check_file(path)
    told = "\n".join(str(p) for p in problems)
    found = sorted((p.severity, p.line, p.path) for p in problems)
    assert found == sorted((kind, line, place) for kind, line, place, _ in wanted), told
    for kind, line, place, remedy in wanted:
        of = [p for p in problems if (p.severity, p.line, p.path) == (kind, line, place)]
        assert any(remedy in p.remedy for p in of), told
        assert all(p.file == str(path) and p.message and p.remedy for p in of)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_errors_refuse_the_file_and_warnings_do_not(path: Path) -> None:
    errors = [kind for kind, *_ in expected(path) if kind == "error"]
    if errors:
        with pytest.raises(PlantFileError) as caught:
            load_plant(path)
        assert len(caught.value.problems) == len(errors)
    else:
        assert load_plant(path).units
