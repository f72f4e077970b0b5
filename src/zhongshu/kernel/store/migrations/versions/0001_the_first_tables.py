"""The first tables: point ids, orders, lots, tasks, transports, commands, gaps, decisions."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_AT_COMMIT: dict[str, Any] = {"deferrable": True, "initially": "DEFERRED"}


def upgrade() -> None:
    _orders()
    _commands()
    _work()
    _records()
    _names()


def downgrade() -> None:
    # Indexes go with their tables; whoever refers goes before what is referred to.
    for table in (
        "meta",
        "point_ids",
        "decisions",
        "gaps",
        "transports",
        "tasks",
        "command_steps",
        "commands",
        "lots",
        "work_orders",
    ):
        op.drop_table(table)


def _orders() -> None:
    op.create_table(
        "work_orders",
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("due_ns", sa.BigInteger(), nullable=False),
        sa.Column("release_ns", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("scrapped", sa.Integer(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("plant", "id", name=op.f("pk_work_orders")),
    )
    op.create_index(
        "ix_work_orders_plant_status_due", "work_orders", ["plant", "status", "due_ns"], unique=False
    )
    op.create_table(
        "lots",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("good", sa.Integer(), nullable=False),
        sa.Column("scrap", sa.Integer(), nullable=False),
        sa.Column("operation", sa.Integer(), nullable=False),
        sa.Column("next_step", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("parent_lot", sa.Integer(), nullable=True),
        sa.Column("updated_ns", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["parent_lot"], ["lots.id"], name=op.f("fk_lots_parent_lot"), **_AT_COMMIT),
        sa.ForeignKeyConstraint(
            ["plant", "order_id"], ["work_orders.plant", "work_orders.id"], name="fk_lots_order", **_AT_COMMIT
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lots")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_lots_plant_order", "lots", ["plant", "order_id"], unique=False)
    op.create_index("ix_lots_plant_place", "lots", ["plant", "place"], unique=False)
    op.create_index("ix_lots_plant_status", "lots", ["plant", "status"], unique=False)


def _commands() -> None:
    op.create_table(
        "commands",
        sa.Column("key", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("proposal", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("expires_ns", sa.BigInteger(), nullable=False),
        sa.Column("sent_ns", sa.BigInteger(), nullable=True),
        sa.Column("ended_ns", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.CheckConstraint("key > 0 AND key < 2147483648", name=op.f("ck_commands_key")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_commands")),
        sa.UniqueConstraint("plant", "proposal", name="uq_commands_plant_proposal"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_commands_plant_status", "commands", ["plant", "status"], unique=False)
    op.create_index("ix_commands_plant_subject", "commands", ["plant", "subject"], unique=False)
    op.create_index("ix_commands_plant_unit", "commands", ["plant", "unit", "key"], unique=False)
    op.create_table(
        "command_steps",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("command", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("t_ns", sa.BigInteger(), nullable=False),
        sa.Column("wall_ns", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["command"], ["commands.key"], name=op.f("fk_command_steps_command"), **_AT_COMMIT
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command_steps")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_command_steps_command", "command_steps", ["command", "id"], unique=False)


def _work() -> None:
    op.create_table(
        "tasks",
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("lot", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("operation", sa.Integer(), nullable=False),
        sa.Column("capability", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("command", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("started_ns", sa.BigInteger(), nullable=True),
        sa.Column("ended_ns", sa.BigInteger(), nullable=True),
        sa.Column("good", sa.Integer(), nullable=False),
        sa.Column("scrap", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["command"], ["commands.key"], name=op.f("fk_tasks_command"), **_AT_COMMIT),
        sa.ForeignKeyConstraint(["lot"], ["lots.id"], name=op.f("fk_tasks_lot"), **_AT_COMMIT),
        sa.PrimaryKeyConstraint("plant", "id", name=op.f("pk_tasks")),
    )
    op.create_index("ix_tasks_lot", "tasks", ["lot", "step"], unique=False)
    op.create_index("ix_tasks_plant_status", "tasks", ["plant", "status"], unique=False)
    op.create_index("ix_tasks_plant_unit", "tasks", ["plant", "unit", "started_ns"], unique=False)
    op.create_table(
        "transports",
        sa.Column("key", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("lot", sa.Integer(), nullable=True),
        sa.Column("vehicle", sa.String(), nullable=True),
        sa.Column("from_unit", sa.String(), nullable=False),
        sa.Column("to_unit", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("started_ns", sa.BigInteger(), nullable=True),
        sa.Column("ended_ns", sa.BigInteger(), nullable=True),
        sa.Column("command", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["command"], ["commands.key"], name=op.f("fk_transports_command"), **_AT_COMMIT
        ),
        sa.ForeignKeyConstraint(["lot"], ["lots.id"], name=op.f("fk_transports_lot"), **_AT_COMMIT),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_transports")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_transports_lot", "transports", ["lot"], unique=False)
    op.create_index("ix_transports_plant_status", "transports", ["plant", "status"], unique=False)


def _records() -> None:
    op.create_table(
        "gaps",
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("points", sa.JSON(), nullable=False),
        sa.Column("start_ns", sa.BigInteger(), nullable=False),
        sa.Column("end_ns", sa.BigInteger(), nullable=False),
        sa.Column("missing", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("recorded_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("plant", "id", name=op.f("pk_gaps")),
    )
    op.create_index("ix_gaps_plant_start", "gaps", ["plant", "start_ns"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("t_ns", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("text_key", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("plant", "id", name=op.f("pk_decisions")),
    )
    op.create_index("ix_decisions_plant_subject", "decisions", ["plant", "subject"], unique=False)
    op.create_index("ix_decisions_plant_t", "decisions", ["plant", "t_ns"], unique=False)


def _names() -> None:
    op.create_table(
        "point_ids",
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("plant", "path", name=op.f("pk_point_ids")),
        sa.UniqueConstraint("plant", "id", name="uq_point_ids_plant_id"),
    )
    op.create_table(
        "meta",
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("plant", "key", name=op.f("pk_meta")),
    )
