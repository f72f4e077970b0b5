"""The tables of the store, one class each; stages fill them, the migrations create them.

Times ending in ``_ns`` are plant time, ``wall_ns`` and ``recorded_ns`` wall time, both ns since 1970 UTC.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
#: Numbered rows are never given a number twice, even after the newest was deleted.
NUMBERED = {"sqlite_autoincrement": True}
#: References are checked when the transaction commits, so rows may be added in any order.
_AT_COMMIT: dict[str, Any] = {"deferrable": True, "initially": "DEFERRED"}


def _unique_id() -> str:
    return uuid4().hex


class PlainText(TypeDecorator[str]):
    """Text that both databases take: PostgreSQL knows no NUL character, and devices do send some."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """What cannot be stored becomes the mark for an unreadable character."""
        if value is None or ("\0" not in value and value.isascii()):
            return value
        return value.replace("\0", "\ufffd").encode(errors="replace").decode()


class Base(DeclarativeBase):
    """What all tables share: names of constraints, and how Python types are stored."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {  # noqa: RUF012 - read by SQLAlchemy, never changed
        str: PlainText,
        dict[str, Any]: JSON,
        list[int]: JSON,
        list[dict[str, Any]]: JSON,
    }


class PointId(Base):
    """The number of a point path, for ever (``kernel.ids``)."""

    __tablename__ = "point_ids"
    __table_args__ = (UniqueConstraint("plant", "id", name="uq_point_ids_plant_id"),)

    plant: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int]


class Meta(Base):
    """Small facts of a plant that must survive a restart: positions on the bus, the autonomy ladder."""

    __tablename__ = "meta"

    plant: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class WorkOrder(Base):
    """An order of ``quantity`` pieces; ``done`` and ``scrapped`` count finished pieces."""

    __tablename__ = "work_orders"
    __table_args__ = (Index("ix_work_orders_plant_status_due", "plant", "status", "due_ns"),)

    plant: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    product: Mapped[str]
    quantity: Mapped[int]
    due_ns: Mapped[int] = mapped_column(BigInteger)
    release_ns: Mapped[int] = mapped_column(BigInteger, default=0)
    priority: Mapped[int] = mapped_column(default=5)
    status: Mapped[str]
    done: Mapped[int] = mapped_column(default=0)
    scrapped: Mapped[int] = mapped_column(default=0)
    created_ns: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")


class Lot(Base):
    """Pieces that travel together; ``place`` is a unit or a vehicle, ``operation`` the last one done (0: none)."""

    __tablename__ = "lots"
    __table_args__ = (
        ForeignKeyConstraint(
            ["plant", "order_id"], ["work_orders.plant", "work_orders.id"], name="fk_lots_order", **_AT_COMMIT
        ),
        Index("ix_lots_plant_status", "plant", "status"),
        Index("ix_lots_plant_order", "plant", "order_id"),
        Index("ix_lots_plant_place", "plant", "place"),
        NUMBERED,
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    plant: Mapped[str]
    order_id: Mapped[str]
    product: Mapped[str]
    quantity: Mapped[int]
    good: Mapped[int] = mapped_column(default=0)
    scrap: Mapped[int] = mapped_column(default=0)
    operation: Mapped[int] = mapped_column(default=0)
    next_step: Mapped[int] = mapped_column(default=0)
    place: Mapped[str] = mapped_column(default="")
    status: Mapped[str]
    parent_lot: Mapped[int | None] = mapped_column(ForeignKey("lots.id", **_AT_COMMIT))
    updated_ns: Mapped[int] = mapped_column(BigInteger, default=0)
    at_output: Mapped[bool] = mapped_column(default=False)
    target: Mapped[str] = mapped_column(default="")
    build_at: Mapped[str] = mapped_column(default="{}")
    proposal: Mapped[str] = mapped_column(default="")
    command: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    not_before_ns: Mapped[int] = mapped_column(BigInteger, default=0)
    started_ns: Mapped[int] = mapped_column(BigInteger, default=0)
    hold: Mapped[str] = mapped_column(default="")


class Command(Base):
    """A command and where its life stands; ``key`` is what the device compares. ``proposal`` comes in only once.

    ``plan`` is the schedule version it follows, 0 for none; ``waits`` for a person's approval; ``approved_by`` the ladder or
    a person's name, empty before.
    """

    __tablename__ = "commands"
    __table_args__ = (
        UniqueConstraint("plant", "proposal", name="uq_commands_plant_proposal"),
        CheckConstraint("key > 0 AND key < 2147483648", name="key"),
        Index("ix_commands_plant_status", "plant", "status"),
        Index("ix_commands_plant_unit", "plant", "unit", "key"),
        Index("ix_commands_plant_subject", "plant", "subject"),
        NUMBERED,
    )

    key: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    plant: Mapped[str]
    proposal: Mapped[str]
    unit: Mapped[str]
    verb: Mapped[str]
    args: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[str]
    decision: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    subject: Mapped[str] = mapped_column(default="")
    by: Mapped[str] = mapped_column(default="")
    created_ns: Mapped[int] = mapped_column(BigInteger)
    expires_ns: Mapped[int] = mapped_column(BigInteger, default=0)
    sent_ns: Mapped[int | None] = mapped_column(BigInteger)
    ended_ns: Mapped[int | None] = mapped_column(BigInteger)
    detail: Mapped[str] = mapped_column(default="")
    plan: Mapped[int] = mapped_column(default=0)
    approved_by: Mapped[str] = mapped_column(default="")
    waits: Mapped[bool] = mapped_column(default=False)


class CommandStep(Base):
    """One step in a command's life, never changed afterwards: the audit of who or what moved it, and when.

    ``samples`` are the measured values the step rests on: ``{"point", "t_ns", "value"}`` each.
    """

    __tablename__ = "command_steps"
    __table_args__ = (Index("ix_command_steps_command", "command", "id"), NUMBERED)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    plant: Mapped[str]
    command: Mapped[int] = mapped_column(ForeignKey("commands.key", **_AT_COMMIT))
    status: Mapped[str]
    t_ns: Mapped[int] = mapped_column(BigInteger)
    wall_ns: Mapped[int] = mapped_column(BigInteger)
    detail: Mapped[str] = mapped_column(default="")
    by: Mapped[str] = mapped_column(default="")
    samples: Mapped[list[dict[str, Any]]] = mapped_column(default=list)


class Task(Base):
    """One operation on one lot, and what became of it."""

    __tablename__ = "tasks"
    __table_args__ = (
        Index("ix_tasks_plant_status", "plant", "status"),
        Index("ix_tasks_lot", "lot", "step"),
        Index("ix_tasks_plant_unit", "plant", "unit", "started_ns"),
    )

    plant: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True, default=_unique_id)
    lot: Mapped[int] = mapped_column(ForeignKey("lots.id", **_AT_COMMIT))
    step: Mapped[int]
    operation: Mapped[int]
    capability: Mapped[str]
    unit: Mapped[str | None]
    command: Mapped[int | None] = mapped_column(ForeignKey("commands.key", **_AT_COMMIT))
    status: Mapped[str]
    started_ns: Mapped[int | None] = mapped_column(BigInteger)
    ended_ns: Mapped[int | None] = mapped_column(BigInteger)
    good: Mapped[int] = mapped_column(default=0)
    scrap: Mapped[int] = mapped_column(default=0)


class Transport(Base):
    """One drive of a lot from unit to unit; ``command`` is the command that ordered it."""

    __tablename__ = "transports"
    __table_args__ = (
        Index("ix_transports_plant_status", "plant", "status"),
        Index("ix_transports_lot", "lot"),
        NUMBERED,
    )

    key: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    plant: Mapped[str]
    lot: Mapped[int | None] = mapped_column(ForeignKey("lots.id", **_AT_COMMIT))
    vehicle: Mapped[str | None]
    from_unit: Mapped[str] = mapped_column(default="")
    to_unit: Mapped[str] = mapped_column(default="")
    status: Mapped[str]
    created_ns: Mapped[int] = mapped_column(BigInteger)
    started_ns: Mapped[int | None] = mapped_column(BigInteger)
    ended_ns: Mapped[int | None] = mapped_column(BigInteger)
    command: Mapped[int | None] = mapped_column(ForeignKey("commands.key", **_AT_COMMIT))


class Outgoing(Base):
    """An event that was decided in the same transaction as the rows it tells of, until the bus has confirmed it."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_stage", "plant", "stage", "id"), NUMBERED)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    plant: Mapped[str]
    stage: Mapped[str]
    kind: Mapped[str]
    payload: Mapped[str]
    msg_id: Mapped[str]


class Gap(Base):
    """An interval (both ends included) in which samples are known to be missing; see ``model.messages.GapRecorded``."""

    __tablename__ = "gaps"
    __table_args__ = (Index("ix_gaps_plant_start", "plant", "start_ns"),)

    plant: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True, default=_unique_id)
    connection: Mapped[str]
    unit: Mapped[str] = mapped_column(default="")
    points: Mapped[list[int]] = mapped_column(default=list)
    start_ns: Mapped[int] = mapped_column(BigInteger)
    end_ns: Mapped[int] = mapped_column(BigInteger)
    missing: Mapped[int] = mapped_column(BigInteger, default=-1)
    cause: Mapped[str]
    recorded_ns: Mapped[int] = mapped_column(BigInteger, default=0)


class Decision(Base):
    """Why the brain did something: the rule, what it was about, the text for people and the facts it stood on."""

    __tablename__ = "decisions"
    __table_args__ = (
        Index("ix_decisions_plant_t", "plant", "t_ns"),
        Index("ix_decisions_plant_subject", "plant", "subject"),
    )

    plant: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True, default=_unique_id)
    t_ns: Mapped[int] = mapped_column(BigInteger)
    rule: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    text_key: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
