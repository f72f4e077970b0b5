"""The measured values behind a step of a command's life, as the store keeps them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from zhongshu.kernel.latest import Latest


def samples_of(latest: Latest, points: Iterable[int]) -> list[dict[str, Any]]:
    """Per point its id, plant time in ns and value as they are now; points of which nothing came are left out."""
    return [
        {"point": int(p), "t_ns": int(latest.times_ns[p]), "value": value}
        for p in points
        if math.isfinite(value := float(latest.values[p]))
    ]
