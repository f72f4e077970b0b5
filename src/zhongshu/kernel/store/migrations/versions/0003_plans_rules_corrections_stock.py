"""Plans by version, what people lay down for the planner, what they put right, and what material there is."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _plans()
    _rules()
    _corrections()
    _material()
    op.add_column("lots", sa.Column("hold", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("lots", "hold")
    for table in ("receipts", "stock", "corrections", "plan_rules", "plans"):
        op.drop_table(table)


def _plans() -> None:
    op.create_table(
        "plans",
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("base", sa.Integer(), nullable=True),
        sa.Column("made_ns", sa.BigInteger(), nullable=False),
        sa.Column("origin_ns", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.JSON(), nullable=False),
        sa.Column("kpis", sa.JSON(), nullable=False),
        sa.Column("edits", sa.JSON(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("released_ns", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("plant", "version", name=op.f("pk_plans")),
    )
    op.create_index("ix_plans_plant_status", "plans", ["plant", "status", "version"], unique=False)


def _rules() -> None:
    op.create_table(
        "plan_rules",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("start_ns", sa.BigInteger(), nullable=False),
        sa.Column("end_ns", sa.BigInteger(), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("ended_ns", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_rules")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_plan_rules_plant_ended", "plan_rules", ["plant", "ended_ns"], unique=False)


def _corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("t_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_corrections_plant_subject", "corrections", ["plant", "subject"], unique=False)
    op.create_index("ix_corrections_plant_t", "corrections", ["plant", "t_ns"], unique=False)


def _material() -> None:
    op.create_table(
        "stock",
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("material", sa.String(), nullable=False),
        sa.Column("quantity", sa.Double(), nullable=False),
        sa.Column("updated_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("plant", "material", name=op.f("pk_stock")),
    )
    op.create_table(
        "receipts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("material", sa.String(), nullable=False),
        sa.Column("quantity", sa.Double(), nullable=False),
        sa.Column("due_ns", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_receipts_plant_status_due", "receipts", ["plant", "status", "due_ns"], unique=False)
