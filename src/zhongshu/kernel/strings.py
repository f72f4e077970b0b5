"""Words for people in both languages: each package's strings.toml becomes the text on pages, in errors and reports."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

LANGUAGES = ("zh", "en")


class StringsError(LookupError):
    """A text that does not exist, lacks a language, or was asked for without one of its values."""


class Strings:
    """The texts of one package by key; a key is the table's name in strings.toml, dots included."""

    def __init__(self, package: str, texts: Mapping[str, Mapping[str, str]]) -> None:
        self._package = package
        self._texts = texts

    @property
    def keys(self) -> frozenset[str]:
        """Every key there is."""
        return frozenset(self._texts)

    def text(self, key: str, language: str, **values: Any) -> str:
        """The text of ``key`` in ``zh`` or ``en`` with its ``{placeholders}`` filled; raises StringsError."""
        template = self.template(key, language)
        try:
            return template.format_map(values) if values or "{" in template else template
        except KeyError as error:
            raise StringsError(
                f"{self._package}: text {key!r} ({language}) needs the value {error}"
            ) from error

    def template(self, key: str, language: str) -> str:
        """The text with its ``{placeholders}`` as they stand, for whoever fills them elsewhere; raises StringsError."""
        try:
            return self._texts[key][language]
        except KeyError as error:
            raise StringsError(
                f"{self._package}/strings.toml has no {language!r} text for {key!r}"
            ) from error


@lru_cache(maxsize=64)
def strings_of(package: str) -> Strings:
    """The texts of a package, ``strings_of("zhongshu.decide")``; raises StringsError with what is wrong in its file."""
    try:
        raw = resources.files(package).joinpath("strings.toml").read_text(encoding="utf-8")
        tables = tomllib.loads(raw)
    except (ModuleNotFoundError, FileNotFoundError, tomllib.TOMLDecodeError) as error:
        raise StringsError(f"{package}/strings.toml cannot be read: {error}") from error
    texts: dict[str, dict[str, str]] = {}
    _collect(package, "", tables, texts)
    return Strings(package, texts)


def _collect(package: str, prefix: str, table: Mapping[str, Any], texts: dict[str, dict[str, str]]) -> None:
    """Flatten nested tables into dotted keys; a table that holds text is a leaf and must hold both languages."""
    for name, value in table.items():
        key = f"{prefix}{name}"
        if not isinstance(value, dict):
            raise StringsError(f"{package}/strings.toml: {key!r} is not a table with zh and en")
        leaf = {language: text for language, text in value.items() if isinstance(text, str)}
        if not leaf:
            _collect(package, f"{key}.", value, texts)
            continue
        if set(leaf) != set(LANGUAGES) or len(leaf) != len(value):
            raise StringsError(
                f"{package}/strings.toml: {key!r} must hold exactly zh and en, has {sorted(value)}"
            )
        texts[key] = leaf
