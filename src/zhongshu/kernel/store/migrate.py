"""Runs the migrations of this package against a Store's database, from inside the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

from zhongshu.kernel.store.act_tables import AutonomyChange
from zhongshu.kernel.store.plan_tables import Plan

if TYPE_CHECKING:
    from zhongshu.kernel.store.store import Store

MIGRATIONS = "zhongshu.kernel.store:migrations"


def config() -> Config:
    """Alembic's settings; no alembic.ini is needed, because the migrations travel inside the package."""
    settings = Config()
    settings.set_main_option("script_location", MIGRATIONS)
    return settings


def upgrade(store: Store) -> None:
    """Run what is missing, all or nothing. Two processes that start at once wait for one another."""
    with store.begin() as session:
        settings = config()
        settings.attributes["connection"] = session.connection()
        command.upgrade(settings, "head")


def head() -> str:
    """The newest revision this program knows."""
    return ScriptDirectory.from_config(config()).get_current_head() or ""


def target_metadata() -> MetaData:
    """What the tables should look like, for comparing them with what they are; those of every module."""
    assert Plan.metadata is AutonomyChange.metadata  # every module of tables is imported here
    return Plan.metadata
