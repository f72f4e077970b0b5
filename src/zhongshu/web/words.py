"""Every text of the control room in one language: from strings.toml into pages, the API and the browser's modules."""

from __future__ import annotations

from functools import lru_cache

from zhongshu.kernel.strings import LANGUAGES, Strings, strings_of

COOKIE = "zs_language"


def words() -> Strings:
    """The control room's own texts."""
    return strings_of("zhongshu.web")


@lru_cache(maxsize=len(LANGUAGES))
def book(language: str) -> dict[str, str]:
    """All texts of one language by key, placeholders unfilled; what the browser gets."""
    strings = words()
    return {key: strings.template(key, language) for key in sorted(strings.keys)}


def language_of(cookie: str | None, accept: str = "") -> str:
    """The language a browser asked for: its cookie, else what it accepts, else Chinese."""
    if cookie in LANGUAGES:
        return str(cookie)
    first = accept.split(",", 1)[0].strip().lower()
    return "en" if first and not first.startswith("zh") else "zh"
