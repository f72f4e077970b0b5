"""A label in both languages: from the plant file and the strings, to every page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A label in both languages."""

    zh: str
    en: str

    def of(self, language: str) -> str:
        """The label in ``zh`` or ``en``."""
        return self.zh if language == "zh" else self.en
