"""Alembic's folder: each revision takes the database one step from yesterday's tables to today's."""
