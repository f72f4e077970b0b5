"""Keeps the brain's newest values: from the bus's points, for decide and act, which judge by measurements only."""

from __future__ import annotations

import logging

from zhongshu.kernel.bus import Bus, Message, Subscription
from zhongshu.kernel.latest import Latest
from zhongshu.kernel.wire import WireError, decode_batch
from zhongshu.model import subjects
from zhongshu.model.numbering import SNAPSHOT

log = logging.getLogger(__name__)


async def follow_points(bus: Bus, plant: str, latest: Latest) -> Subscription:
    """Feed every Batch of the plant into ``latest`` until the subscription is closed.

    Snapshots are left out: they say what sense knew in an earlier life, and nobody is to be commanded by that.
    """

    async def take(message: Message) -> None:
        if SNAPSHOT in message.headers:
            return
        try:
            latest.update(decode_batch(message.payload))
        except WireError as error:
            log.warning("a batch on %s could not be read: %s", message.subject, error)

    return await bus.listen(subjects.points(plant, ">"), take)
