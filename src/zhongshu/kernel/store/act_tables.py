"""The tables of autonomy: how far the brain may go, and what named persons said of single commands; act reads them.

Times as in ``kernel.store.tables``: ``_ns`` is plant time, ns since 1970 UTC.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from zhongshu.kernel.store.tables import NUMBERED, Base


class AutonomyChange(Base):
    """One change of autonomy, never changed afterwards; the newest of a scope and kind is what holds.

    ``scope`` is plant, area:<id> or unit:<id>; ``kind`` level, taken or stopped; ``value`` empty where it is over.
    """

    __tablename__ = "autonomy_changes"
    __table_args__ = (
        Index("ix_autonomy_changes_plant", "plant", "id"),
        Index("ix_autonomy_changes_plant_scope", "plant", "scope", "kind", "id"),
        NUMBERED,
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    plant: Mapped[str]
    scope: Mapped[str]
    kind: Mapped[str]
    before: Mapped[str]
    value: Mapped[str]
    by: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    t_ns: Mapped[int] = mapped_column(BigInteger)


class CommandRuling(Base):
    """A named person's word on one command, never changed afterwards: approve, reject, proven or failed."""

    __tablename__ = "command_rulings"
    __table_args__ = (
        Index("ix_command_rulings_plant", "plant", "id"),
        Index("ix_command_rulings_command", "command"),
        NUMBERED,
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    plant: Mapped[str]
    command: Mapped[int] = mapped_column(ForeignKey("commands.key", deferrable=True, initially="DEFERRED"))
    ruling: Mapped[str]
    by: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    t_ns: Mapped[int] = mapped_column(BigInteger)
