"""Everything a person reads exists in Chinese and in English."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from tests.house.tree import ROOT, files

LANGUAGES = ("zh", "en")
PLACE = re.compile(r"\{(\w+)[^{}]*\}")


def one_sided(name: str, text: str) -> list[str]:
    """Keys that lack a language, whose words are empty, or whose two texts ask for different values."""
    raw = tomllib.loads(text)
    found = []
    for key, words in _leaves(raw):
        missing = [language for language in LANGUAGES if not str(words.get(language, "")).strip()]
        extra = sorted(set(words) - set(LANGUAGES))
        found += [f"{name}: {key} has no {language}" for language in missing]
        if (
            not missing
            and len({frozenset(PLACE.findall(str(words[language]))) for language in LANGUAGES}) > 1
        ):
            found.append(f"{name}: {key} has other {{values}} in one language than in the other")
        found += [f"{name}: {key}.{language} is no language that we have" for language in extra]
    return found


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Tables that hold words, by dotted key; words outside any table lack both languages."""
    words = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    if words:
        yield prefix or "(top)", words
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}.{key}" if prefix else key)
    if not table and prefix:
        yield prefix, {}


def test_both_languages_everywhere() -> None:
    books = [path for path in files() if path.name == "strings.toml"]
    assert [
        f for path in books for f in one_sided(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))
    ] == []


def test_this_law_bites() -> None:
    assert one_sided("s", '[a.b]\nzh = "甲"\nen = "A"\n[c]\nzh = "丙"\nen = "C"') == []
    assert one_sided("s", '[a]\nzh = "甲"') == ["s: a has no en"]
    assert one_sided("s", '[a.b]\nzh = " "\nen = "A"') == ["s: a.b has no zh"]
    assert one_sided("s", '[a]\nzh = "{n} 件"\nen = "{n:.1f} pieces"') == []
    assert one_sided("s", '[a]\nzh = "{n} 件"\nen = "pieces"')
    assert one_sided("s", 'a = "A"')
    assert one_sided("s", "[a]") == ["s: a has no zh", "s: a has no en"]
    assert one_sided("s", '[a]\nzh = "甲"\nen = "A"\nde = "A"') == ["s: a.de is no language that we have"]
