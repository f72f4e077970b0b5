"""Alembic asks this how to run: always on the connection that ``store.migrate`` hands over."""

from alembic import context

from zhongshu.kernel.store.migrate import target_metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=target_metadata(),
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
