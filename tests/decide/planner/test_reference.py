"""docs/reference/planner.md names every ask, edit, kind of link and figure that there is, and none that there is not."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import zhongshu.decide.planner.asks as asks
import zhongshu.decide.planner.edits as edits
from zhongshu.kernel.status import PLAN

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "planner.md").read_text()
STRINGS = Path(asks.__file__).with_name("strings.toml")


def rows(heading: str) -> set[str]:
    """First column of the table behind these words."""
    table = PAGE.split(heading, 1)[1].split("\n\n", 2)[1]
    return set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))


def test_asks() -> None:
    source = Path(asks.__file__).read_text().split("] = {", 1)[1].split("}", 1)[0]
    assert rows("they never wait for a re-plan.") == set(re.findall(r'"(\w+)":', source))


def test_edits() -> None:
    source = Path(edits.__file__).read_text().split("def edited", 1)[1].split("def said", 1)[0]
    named = set(re.findall(r'kind (?:==|in) \(?((?:"\w+"(?:, )?)+)', source))
    known = {word for group in named for word in re.findall(r"\w+", group)} | set(edits.TIMED)
    assert rows("Edits of `try`:") == known


def test_links_and_figures() -> None:
    kinds = set(re.findall(r"`(\w+)`", PAGE.split("Kinds of links of a chain:", 1)[1].split("\n", 1)[0]))
    assert kinds == set(tomllib.loads(STRINGS.read_text())["why"]) - {"lot"}
    assert set(re.findall(r"`(\w+)`", PAGE.split("block `plan`:", 1)[1])) == set(PLAN)
