"""Who did it: whatever a person changes in the store is signed with a name; refusals come back in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from zhongshu.kernel.store.plan_tables import Correction
from zhongshu.kernel.strings import strings_of

NAME_MAX = 64
NOTE_MAX = 500
#: Names that stand for nobody: no person may sign with them.
NOBODY = frozenset({"brain", "ladder"})


class Why(StrEnum):
    """Of what kind a refusal is."""

    WRONG = "wrong"  # what was said can't be
    MISSING = "missing"  # what it is about does not exist
    CONFLICT = "conflict"  # it can't be now, as things stand


class Refused(ValueError):
    """A person's wish can't be met; ``text`` says why and what to do in ``zh`` or ``en``."""

    def __init__(self, key: str, why: Why = Why.WRONG, **values: Any) -> None:
        self.key, self.why, self.values = key, why, values
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """The reason and its remedy; what was given may hold characters that no wire takes."""
        said = strings_of("zhongshu.kernel").text(self.key, language, **self.values)
        return said.encode(errors="replace").decode()

    @property
    def both(self) -> dict[str, str]:
        """The reason in both languages."""
        return {language: self.text(language) for language in ("zh", "en")}


@dataclass(frozen=True, slots=True)
class Signed:
    """A person's name under what they change at ``now_ns`` (plant time); ``stage`` names the outbox. Raises Refused."""

    by: str
    now_ns: int
    note: str = ""
    stage: str = "web"

    def __post_init__(self) -> None:
        if not self.by.strip() or self.by != self.by.strip() or len(self.by) > NAME_MAX:
            raise Refused("signed.nobody")
        if not self.by.isprintable() or (self.stage == "web" and self.by.casefold() in NOBODY):
            raise Refused("signed.nobody")
        if len(self.note) > NOTE_MAX or not self.note.isprintable():
            raise Refused("signed.note")


def record(
    session: Session,
    plant: str,
    signed: Signed,
    kind: str,
    subject: str,
    before: dict[str, Any],
    after: dict[str, Any],
) -> Correction:
    """Keep for the audit what was and what is; its number is known when this returns."""
    row = Correction(
        plant=plant,
        kind=kind,
        subject=subject,
        before=before,
        after=after,
        by=signed.by,
        note=signed.note,
        t_ns=signed.now_ns,
    )
    session.add(row)
    session.flush()
    return row


def corrections(
    session: Session, plant: str, *, subject: str = "", kind: str = "", limit: int = 200
) -> list[Correction]:
    """The newest corrections first."""
    mine = select(Correction).where(Correction.plant == plant)
    if subject:
        mine = mine.where(Correction.subject == subject)
    if kind:
        mine = mine.where(Correction.kind == kind)
    return list(session.scalars(mine.order_by(Correction.id.desc()).limit(limit)))
