"""A function fits on a screen, and a file can be read at one sitting."""

from __future__ import annotations

import ast

from tests.house.tree import python

FUNCTION_LINES = 70
FILE_LINES = 400


def long_functions(name: str, source: str) -> list[str]:
    """Functions of more lines than a screen has, from `def` to the end."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > FUNCTION_LINES:
            found.append(f"{name}:{node.lineno}: {node.name} has {lines} lines, {FUNCTION_LINES} are allowed")
    return found


def long_file(name: str, source: str) -> list[str]:
    """A file that holds more than one idea, most likely."""
    lines = len(source.splitlines())
    return [f"{name}: {lines} lines, {FILE_LINES} are allowed"] if lines > FILE_LINES else []


def test_functions_are_short() -> None:
    assert [
        f for name, text in python("src/", "tests/", "tools/", "bench/") for f in long_functions(name, text)
    ] == []


def test_files_are_short() -> None:
    assert [
        f for name, text in python("src/", "tests/", "tools/", "bench/") for f in long_file(name, text)
    ] == []


def test_these_laws_bite() -> None:
    body = "    x = 1\n"
    assert long_functions("a.py", "def f():\n" + body * 69) == []
    assert "f has 71 lines" in long_functions("a.py", "def f():\n" + body * 70)[0]
    method = "class C:\n    async def g(self):\n" + ("    " + body) * 70
    assert "g has 71 lines" in long_functions("a.py", method)[0]
    assert long_file("a.py", "x\n" * 400) == []
    assert long_file("a.py", "x\n" * 401) == ["a.py: 401 lines, 400 are allowed"]
