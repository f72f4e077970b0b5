"""Statements within a transaction of the caller's, whether that goes by objects or by plain statements."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.orm import Session

#: What ``Store.begin`` and ``read`` hand out, or ``write`` and ``look``.
Within = Session | Connection


def plain(within: Within) -> Connection:
    """The connection of the transaction. What waits in a session's objects is not written by asking for it."""
    return within if isinstance(within, Connection) else within.connection()
