"""The last transport order of each vehicle as it was sent, updates included: written by act, also read by the pages."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy.orm import Session

from zhongshu.kernel.store.meta import get_meta

#: Key of the row in meta, before the vehicle's id.
DRIVE = "act.fleet."


def sent_order(session: Session, plant: str, vehicle: str, key: int) -> dict[str, Any] | None:
    """Arguments of that order of a vehicle as they were last sent; None where it has another one, or none."""
    raw = json.loads(get_meta(session, plant, DRIVE + vehicle) or "{}")
    order: dict[str, Any] | None = raw.get("order") if raw.get("key") == key else None
    return order
