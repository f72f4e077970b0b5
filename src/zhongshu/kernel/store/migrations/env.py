"""Alembic asks this how to run: always on the connection that ``store.migrate`` hands over."""

from alembic import context

from zhongshu.kernel.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
