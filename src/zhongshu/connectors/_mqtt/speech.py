"""Why a device or a broker did not do as asked: texts of a protocol's strings.toml in the language the brain is set to."""

from __future__ import annotations

import os
from collections.abc import Callable

from zhongshu.kernel.strings import strings_of

#: Reasons are kept with events and commands, so they have one language; Chinese unless ``ZHONGSHU_LANGUAGE`` says otherwise.
LANGUAGE = "en" if os.environ.get("ZHONGSHU_LANGUAGE", "zh").startswith("en") else "zh"

Say = Callable[..., str]


def speaker(protocol: str) -> Say:
    """``say(key, **values)`` of one protocol's folder."""

    def say(key: str, **values: object) -> str:
        return strings_of(f"zhongshu.connectors.{protocol}").text(key, LANGUAGE, **values)

    return say
