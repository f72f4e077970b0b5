"""What devices say when they refuse: texts of strings.toml in the language the devices are set to."""

from __future__ import annotations

import os

from zhongshu.kernel.strings import strings_of

#: A device speaks one language, set at commissioning; Chinese unless ``ZHONGSHU_LANGUAGE`` says otherwise.
LANGUAGE = "en" if os.environ.get("ZHONGSHU_LANGUAGE", "zh").startswith("en") else "zh"


def say(key: str, **values: object) -> str:
    """The text of ``key`` with its values."""
    return strings_of(__package__ or "zhongshu.twin").text(key, LANGUAGE, **values)
