"""Names say what a thing is: no drawers for odds and ends, no titles without a meaning, a sentence on every module."""

from __future__ import annotations

import ast
from pathlib import PurePosixPath

from tests.house.tree import ROOT, files, python

DRAWERS = {"utils", "util", "common", "helpers", "helper", "services", "core", "misc", "lib"}
EMPTY_TITLES = ("Manager", "Helper", "Data", "Info", "Handler")


def drawers(name: str) -> list[str]:
    """Folders and modules into which everything fits."""
    parts = [part.removesuffix(".py") for part in PurePosixPath(name).parts]
    return [f"{name}: {part!r} says nothing about what is in it" for part in parts if part.lower() in DRAWERS]


def empty_titles(name: str, source: str) -> list[str]:
    """Classes whose last word could stand on any class."""
    return [
        f"{name}:{node.lineno}: class {node.name} needs a last word that means something"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef) and node.name.endswith(EMPTY_TITLES)
    ]


def module_sentence(name: str, source: str) -> list[str]:
    """The first line of a module is one sentence, so that a folder can be read by its first lines."""
    docstring = ast.get_docstring(ast.parse(source)) or ""
    first = docstring.split("\n\n")[0].replace("\n", " ").strip()
    if not first:
        return [f"{name}:1: no docstring: say in one sentence where the datum comes from and where it goes"]
    if not first.endswith((".", "。", "!", "?")):
        return [f"{name}:1: the docstring's first paragraph is not a sentence: {first!r}"]
    return []


def test_no_drawers() -> None:
    names = [path.relative_to(ROOT).as_posix() for path in files()]
    ours = [name for name in names if name.startswith(("src/", "tests/", "tools/", "bench/"))]
    assert [f for name in ours for f in drawers(name)] == []


def test_no_empty_titles() -> None:
    assert [f for name, text in python("src/", "tools/", "bench/") for f in empty_titles(name, text)] == []


def test_every_module_has_its_sentence() -> None:
    assert [f for name, text in python("src/", "tools/", "bench/") for f in module_sentence(name, text)] == []


def test_these_laws_bite() -> None:
    assert drawers("src/zhongshu/utils/text.py") and drawers("src/zhongshu/sense/common.py")
    assert drawers("src/zhongshu/sense/uncommon.py") == []
    assert empty_titles("a.py", "class PointData: ...") and empty_titles(
        "a.py", "def f():\n class XHandler: ..."
    )
    assert empty_titles("a.py", "class Database: ...") == []
    assert module_sentence("a.py", "x = 1") and module_sentence("a.py", '"""no end"""')
    assert module_sentence("a.py", '"""Runs over\ntwo lines."""') == []
