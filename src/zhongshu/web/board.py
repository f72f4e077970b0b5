"""What all pages show alike, read from the store now and then, in a thread, by one reader for all."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from zhongshu.kernel.waiting import happens

log = logging.getLogger(__name__)


class Board:
    """``board`` is the newest reading, ``version`` rises when it is another one; ``run`` reads until cancelled."""

    def __init__(self, what: str, period_wall_s: float, empty: dict[str, Any]) -> None:
        """``what`` is read, for the log; ``empty`` is the board before the first reading."""
        self._what, self._period_wall_s = what, period_wall_s
        self._news = asyncio.Event()
        self.board = empty
        self.version = 0

    def poke(self) -> None:
        """Something happened: look at once."""
        self._news.set()

    async def run(self) -> None:
        """Until cancelled; a store that is busy or away is asked again later."""
        while True:
            self._news.clear()
            try:
                found = await asyncio.to_thread(self._read)
            except SQLAlchemyError as error:
                log.warning("%s could not be read: %s", self._what, error)
            else:
                board = self._completed(found)
                if board != self.board:
                    self.board, self.version = board, self.version + 1
            await happens(self._news, self._period_wall_s)

    def _read(self) -> dict[str, Any]:
        """From the store, in a thread."""
        raise NotImplementedError

    def _completed(self, found: dict[str, Any]) -> dict[str, Any]:
        """With what is known without the store."""
        return found
