"""Why a device or a connection did not do as asked: a key of strings.toml becomes words in the plant's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zhongshu.kernel.strings import strings_of

#: Modbus exception codes that have words of their own.
KNOWN = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 10, 11})


@dataclass(frozen=True, slots=True)
class Speech:
    """Words in one language: ``zh`` or ``en``."""

    language: str

    def __call__(self, key: str, **values: object) -> str:
        """The text of ``key`` with its values."""
        return strings_of("zhongshu.connectors.modbus").text(key, self.language, **values)

    def exception(self, code: int) -> str:
        """A Modbus exception code in words."""
        return self(f"exception.e{code}") if code in KNOWN else self("exception.other", code=code)


def speech_of(settings: Mapping[str, Any]) -> Speech:
    """Words in the language that the plant's settings name, English where they name none."""
    return Speech("zh" if settings.get("language") == "zh" else "en")
