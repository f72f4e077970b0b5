"""Events wait in an outbox for the bus; lots remember where they are going and what was asked for them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TEXTS = ("target", "proposal")
_NUMBERS = (("command", sa.Integer()), ("attempt", sa.Integer()), ("not_before_ns", sa.BigInteger()))


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("plant", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("payload", sa.String(), nullable=False),
        sa.Column("msg_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_stage", "outbox", ["plant", "stage", "id"], unique=False)
    op.add_column("lots", sa.Column("at_output", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("lots", sa.Column("build_at", sa.String(), nullable=False, server_default="{}"))
    for name in _TEXTS:
        op.add_column("lots", sa.Column(name, sa.String(), nullable=False, server_default=""))
    for name, kind in (*_NUMBERS, ("started_ns", sa.BigInteger())):
        op.add_column("lots", sa.Column(name, kind, nullable=False, server_default="0"))


def downgrade() -> None:
    for name in (
        "started_ns",
        *(n for n, _ in reversed(_NUMBERS)),
        *reversed(_TEXTS),
        "build_at",
        "at_output",
    ):
        op.drop_column("lots", name)
    op.drop_table("outbox")
