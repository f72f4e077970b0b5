"""From a key of this connector's strings.toml to words in the plant's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zhongshu.kernel.strings import strings_of


@dataclass(frozen=True, slots=True)
class Words:
    """Words in one language."""

    language: str

    def __call__(self, key: str, **values: Any) -> str:
        """The text of ``key``."""
        return strings_of("zhongshu.connectors.opcua").text(key, self.language, **values)


def words_of(settings: Mapping[str, Any]) -> Words:
    """Words in the language that the plant's settings name, English where they name none."""
    return Words("zh" if settings.get("language") == "zh" else "en")
