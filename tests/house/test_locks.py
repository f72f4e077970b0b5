"""The lock files hold names, versions and hashes only, and agree with pyproject.toml and with each other."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.tree import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-uv.lock")
LINE = re.compile(
    r"(?P<pin>[a-z0-9][a-z0-9.-]*(\[[a-z0-9,-]+\])?==[\w.+!-]+( ; [\w'\"=!<>. ()-]+)? \\)"
    r"|    --hash=sha256:[0-9a-f]{64}( \\)?"
    r"|    #[ \w.:()-]*"  # who asked for it; without a slash it can name neither a host nor a path
)

Pins = dict[str, set[str]]


def foreign_lines(name: str, text: str) -> list[str]:
    """Anything that is neither a pin, nor a hash, nor a word on who asked for it."""
    return [f"{name}:{n}: {line}" for n, line in enumerate(text.splitlines(), 1) if not LINE.fullmatch(line)]


def pins(text: str) -> Pins:
    """Name → the versions locked for it; there are two where a Python or a platform needs its own."""
    found: Pins = {}
    for line in text.splitlines():
        if LINE.fullmatch(line) and "==" in line.split(" ")[0]:
            name, version = line.split(" ")[0].split("==")
            found.setdefault(canonicalize_name(name.split("[")[0]), set()).add(version)
    return found


def unmet(requirements: Iterator[str], locked: Pins) -> list[str]:
    """Requirements that the lock does not hold, or holds in a version they refuse."""
    found = []
    for line in requirements:
        wanted = Requirement(line)
        versions = locked.get(canonicalize_name(wanted.name), set())
        if not versions or not all(
            wanted.specifier.contains(version, prereleases=True) for version in versions
        ):
            found.append(f"{line}: locked is {', '.join(sorted(versions)) or 'nothing'}; run `make lock`")
    return found


def _wanted(project: dict[str, Any], *groups: str) -> Iterator[str]:
    """Every requirement of base, extras and groups, without those that point back at ourselves."""
    lists = [project["project"]["dependencies"], *project["project"]["optional-dependencies"].values()]
    lists += [project["dependency-groups"][group] for group in groups]
    for line in (line for part in lists for line in part):
        if isinstance(line, str) and not line.startswith("zhongshu["):
            yield line


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LOCKS)
def test_only_names_versions_and_hashes(name: str) -> None:
    assert foreign_lines(name, _text(name)) == []
    assert pins(_text(name))


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads(_text("pyproject.toml"))
    assert unmet(_wanted(project, "build"), pins(_text("requirements.lock"))) == []
    assert unmet(_wanted(project, "build", "dev"), pins(_text("requirements-dev.lock"))) == []


def test_what_is_tested_is_what_is_run() -> None:
    tested = pins(_text("requirements-dev.lock"))
    assert {name: tested.get(name) for name in pins(_text("requirements.lock"))} == pins(
        _text("requirements.lock")
    )


def test_these_laws_bite() -> None:
    good = (
        "numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:"
        + "0" * 64
        + "\n    # via nicegui"
    )
    assert foreign_lines("x", good) == [] and pins(good) == {"numpy": {"2.4.6"}}
    for line in (
        "--index-url https://a.example",
        "--find-links /srv/wheels",
        "numpy @ file:///srv/x.whl",
        "# from https://a.example",
    ):
        assert foreign_lines("x", line), line
    assert unmet(iter(["numpy>=2"]), pins(good)) == []
    assert unmet(iter(["numpy>=3"]), pins(good)) and unmet(iter(["scipy"]), pins(good))
