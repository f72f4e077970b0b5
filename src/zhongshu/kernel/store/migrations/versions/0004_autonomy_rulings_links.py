"""Autonomy and its history, people's words on commands, and what each command follows and rests on."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _autonomy()
    _rulings()
    op.add_column("commands", sa.Column("plan", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("commands", sa.Column("approved_by", sa.String(), nullable=False, server_default=""))
    op.add_column("commands", sa.Column("waits", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("command_steps", sa.Column("samples", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("command_steps", "samples")
    for column in ("waits", "approved_by", "plan"):
        op.drop_column("commands", column)
    op.drop_table("command_rulings")
    op.drop_table("autonomy_changes")


def _autonomy() -> None:
    op.create_table(
        "autonomy_changes",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("t_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_autonomy_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_autonomy_changes_plant", "autonomy_changes", ["plant", "id"], unique=False)
    op.create_index(
        "ix_autonomy_changes_plant_scope", "autonomy_changes", ["plant", "scope", "kind", "id"], unique=False
    )


def _rulings() -> None:
    op.create_table(
        "command_rulings",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("command", sa.Integer(), nullable=False),
        sa.Column("ruling", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("t_ns", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["command"],
            ["commands.key"],
            name=op.f("fk_command_rulings_command"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command_rulings")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_command_rulings_plant", "command_rulings", ["plant", "id"], unique=False)
    op.create_index("ix_command_rulings_command", "command_rulings", ["command"], unique=False)
