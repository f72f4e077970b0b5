"""The reference page of the policies names every setting with its true default and meaning."""

from __future__ import annotations

import re
from pathlib import Path

from zhongshu.decide.policies import ALL

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "policies.md"


def test_the_table_is_what_the_code_says() -> None:
    rows = re.findall(r"^\| `(.+?)` \| `(.+?)` \| (.+?) \| (.+?) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    known = [
        (kind.name, name, f"{setting.default:g}", setting.meaning)
        for kind in ALL.values()
        for name, setting in kind.SETTINGS.items()
    ]
    assert rows == known
