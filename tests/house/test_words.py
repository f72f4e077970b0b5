"""What may not be written anywhere: loose ends, places that exist on one machine only, loads from elsewhere."""

from __future__ import annotations

import re

from tests.house.tree import texts

# Each is put together here so that this file does not break its own law.
LOOSE_ENDS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME")) + r")\b")
REGISTRIES = (
    "files." + "pythonhosted",
    "pypi.org/" + "simple",
    "registry." + "npmjs",
    "registry." + "yarnpkg",
    "deb." + "debian.org",
)
HOMES = re.compile(
    r"(?<![\w./~{}$)-])/(?:"
    + "|".join(("wo" + "rk", "ro" + "ot", r"ho" + r"me/\w+", r"Us" + r"ers/\w+"))
    + r")/"
)
LOADS = re.compile(
    r"""(?:\bsrc\s*=\s*["']? | <link\b[^>]*\bhref\s*=\s*["']? | \burl\(\s*["']? | @import\s+["']
         | \bfetch\(\s*["'`] | \bfrom\s+["'] | \bimport\(?\s*["'] | \bimportScripts\(\s*["']
         | \bnew\s+(?:WebSocket|EventSource|Worker|Request)\(\s*["'`] | \bui\.\w+\(\s*f?["'])
        (?:(?:https?|wss?):)?//[\w{]""",
    re.VERBOSE,
)


def loose_ends(name: str, text: str) -> list[str]:
    """Work that is only announced."""
    return [f"{name}:{n}: {line.strip()}" for n, line in _lines(text) if LOOSE_ENDS.search(line)]


def places(name: str, text: str) -> list[str]:
    """Hosts of package registries, and paths of somebody's machine."""
    return [
        f"{name}:{n}: {line.strip()[:100]}"
        for n, line in _lines(text)
        if HOMES.search(line) or any(host in line for host in REGISTRIES)
    ]


def outside_loads(name: str, text: str) -> list[str]:
    """Whatever would make a browser ask another host; plants are cut off from the internet."""
    return [f"{name}:{n}: {line.strip()[:100]}" for n, line in _lines(text) if LOADS.search(line)]


def _lines(text: str) -> list[tuple[int, str]]:
    return list(enumerate(text.splitlines(), start=1))


def test_no_loose_ends() -> None:
    code = (".py", ".js", ".mjs", ".css", ".html", ".toml", ".yaml", ".sh")
    assert [f for name, text in texts() if name.endswith(code) for f in loose_ends(name, text)] == []


def test_no_place_of_one_machine() -> None:
    assert [f for name, text in texts() for f in places(name, text)] == []


def test_the_web_loads_nothing_from_outside() -> None:
    assert [
        f for name, text in texts() if name.startswith("src/zhongshu/web/") for f in outside_loads(name, text)
    ] == []


def test_these_laws_bite() -> None:
    assert loose_ends("a.py", "# TO" + "DO later") and loose_ends("a.py", 'todo = "exempt"') == []
    assert places("a.lock", "https://files." + "pythonhosted.org/x") and places(
        "a.py", "open('/wo" + "rk/main/x')"
    )
    assert places("a.py", "/ho" + "me/kim/x") and places("a.py", "href='/api/work/1' ./wo" + "rk/x") == []
    for load in (
        '<script src="https://cdn.example/x.js">',
        '<link rel="stylesheet" href="//cdn.example/x.css">',
        "@import url(https://fonts.example/x.css);",
        'import { x } from "https://cdn.example/x.mjs"',
        "await fetch(`https://api.example/`)",
        'new WebSocket("wss://example/")',
        'ui.image("https://example/x.png")',
    ):
        assert outside_loads("a.js", load), load
    for plain in (
        'fetch("/api/points")',
        "// see https://example.org",
        'xmlns="http://www.w3.org/2000/svg"',
        '<a href="https://example.org">',
    ):
        assert outside_loads("a.js", plain) == [], plain
