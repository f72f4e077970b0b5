"""The tables of plans, rules, corrections and stock: the planner and people write them, pages and restarts read them.

Times as in ``kernel.store.tables``: ``_ns`` is plant time, ns since 1970 UTC.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Double, Index
from sqlalchemy.orm import Mapped, mapped_column

from zhongshu.kernel.store.tables import NUMBERED, Base


class Plan(Base):
    """One version of the plant's schedule; ``content`` is the plan document, zlib-compressed UTF-8 JSON."""

    __tablename__ = "plans"
    __table_args__ = (Index("ix_plans_plant_status", "plant", "status", "version"),)

    plant: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    base: Mapped[int | None]
    made_ns: Mapped[int] = mapped_column(BigInteger)
    origin_ns: Mapped[int] = mapped_column(BigInteger)
    cause: Mapped[dict[str, Any]] = mapped_column(default=dict)
    kpis: Mapped[dict[str, Any]] = mapped_column(default=dict)
    edits: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    content: Mapped[bytes]
    by: Mapped[str] = mapped_column(default="")
    released_ns: Mapped[int | None] = mapped_column(BigInteger)


class PlanRule(Base):
    """What a person laid down for the planner; in force while ``ended_ns`` is empty (``kernel.store.rules``)."""

    __tablename__ = "plan_rules"
    __table_args__ = (Index("ix_plan_rules_plant_ended", "plant", "ended_ns"), NUMBERED)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    plant: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    start_ns: Mapped[int] = mapped_column(BigInteger, default=0)
    end_ns: Mapped[int] = mapped_column(BigInteger, default=0)
    args: Mapped[dict[str, Any]] = mapped_column(default=dict)
    by: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    created_ns: Mapped[int] = mapped_column(BigInteger)
    ended_ns: Mapped[int | None] = mapped_column(BigInteger)


class Correction(Base):
    """What a named person put right, never changed afterwards: ``before`` and ``after`` hold the same names."""

    __tablename__ = "corrections"
    __table_args__ = (
        Index("ix_corrections_plant_subject", "plant", "subject"),
        Index("ix_corrections_plant_t", "plant", "t_ns"),
        NUMBERED,
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    plant: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(default=dict)
    by: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    t_ns: Mapped[int] = mapped_column(BigInteger)


class Stock(Base):
    """How much of a material lies in the store, as last counted or booked."""

    __tablename__ = "stock"

    plant: Mapped[str] = mapped_column(primary_key=True)
    material: Mapped[str] = mapped_column(primary_key=True)
    quantity: Mapped[float] = mapped_column(Double)
    updated_ns: Mapped[int] = mapped_column(BigInteger)


class Receipt(Base):
    """Material that is expected or came in: ``status`` is expected, received or cancelled."""

    __tablename__ = "receipts"
    __table_args__ = (Index("ix_receipts_plant_status_due", "plant", "status", "due_ns"), NUMBERED)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    plant: Mapped[str]
    material: Mapped[str]
    quantity: Mapped[float] = mapped_column(Double)
    due_ns: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(default="expected")
