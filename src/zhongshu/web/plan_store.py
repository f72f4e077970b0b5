"""Plans as the store holds them: rows for lists, and whole documents packed once for every browser that asks."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from zhongshu.kernel.store import Store
from zhongshu.kernel.store.plan_tables import Plan

LIVE: Literal["live"] = "live"
#: Plans of before that are still listed; the newest of them is what `undo` releases again.
PAST_SHOWN = 6
#: Documents kept packed: the live one, a few what-ifs, and one of before.
KEPT = 6
#: 10,000 tasks: 2.5 MB become 0.4 MB in some 60 ms; a higher level costs more than the loopback saves.
LEVEL = 4

Which = int | Literal["live"]


@dataclass(frozen=True, slots=True)
class Packed:
    """A plan document as JSON under gzip; ``tag`` is another one whenever the document is."""

    version: int
    tag: str
    body: bytes

    def plain(self) -> bytes:
        """The JSON itself."""
        return gzip.decompress(self.body)

    def document(self) -> dict[str, Any]:
        """The document as the planner wrote it, with the status that it has now."""
        found: dict[str, Any] = json.loads(self.plain())
        return found


class Plans:
    """One plant's plans. Every call reads the store and blocks; safe for several threads."""

    def __init__(self, plant: str, store: Store) -> None:
        self._plant, self._store = plant, store
        self._packed: OrderedDict[str, Packed] = OrderedDict()
        self._lock = Lock()

    def rows(self) -> list[dict[str, Any]]:
        """The live plan, every what-if, and the last few of before, newest first; without their tasks."""
        with self._store.read() as session:
            open_ = self._some(session, (LIVE, "scenario"), 1000)
            past = self._some(session, ("superseded",), PAST_SHOWN)
        return [plan_row(plan) for plan in sorted((*open_, *past), key=lambda p: p.version, reverse=True)]

    def packed(self, which: Which) -> Packed | None:
        """The document of a version, or of the live plan; None where there is none."""
        with self._store.read() as session:
            query = select(Plan).where(Plan.plant == self._plant)
            if which == LIVE:
                query = query.where(Plan.status == LIVE).order_by(Plan.version.desc()).limit(1)
            else:
                query = query.where(Plan.version == which)
            found = session.scalars(query).first()
        if found is None:
            return None
        said = json.dumps(_patch(found), sort_keys=True).encode()
        tag = f"{found.version}-{zlib.crc32(found.content):08x}-{zlib.crc32(said):08x}"
        with self._lock:
            if tag in self._packed:
                self._packed.move_to_end(tag)
                return self._packed[tag]
        made = Packed(found.version, tag, _pack(found))
        with self._lock:
            self._packed[tag] = made
            while len(self._packed) > KEPT:
                self._packed.popitem(last=False)
        return made

    def _some(self, session: Session, status: tuple[str, ...], most: int) -> list[Plan]:
        query = select(Plan).options(defer(Plan.content)).where(Plan.plant == self._plant)
        query = query.where(Plan.status.in_(status)).order_by(Plan.version.desc()).limit(most)
        return list(session.scalars(query))


def plan_row(plan: Plan) -> dict[str, Any]:
    """A plan in a list; times in ns of plant time, as in its document."""
    return {
        "version": plan.version,
        "status": plan.status,
        "name": plan.name,
        "base": plan.base,
        "made_ns": plan.made_ns,
        "origin_ns": plan.origin_ns,
        "cause": plan.cause,
        "kpis": plan.kpis,
        "edits": plan.edits,
        "by": plan.by,
        "released_ns": plan.released_ns,
    }


def _patch(plan: Plan) -> dict[str, Any]:
    """What the planner wrote once is old where the row has moved on since: status, name, who released it and when."""
    names = ("version", "status", "name", "base", "made_ns", "origin_ns", "edits", "by", "released_ns")
    return {name: getattr(plan, name) for name in names}


def _pack(plan: Plan) -> bytes:
    document: dict[str, Any] = json.loads(zlib.decompress(plan.content))
    text = json.dumps(document | _patch(plan), ensure_ascii=False, separators=(",", ":"))
    return gzip.compress(text.encode(), LEVEL, mtime=0)
