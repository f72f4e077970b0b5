"""To wait for something, but not for ever."""

from __future__ import annotations

import asyncio


async def happens(event: asyncio.Event, within_wall_s: float) -> bool:
    """Until it is set, but no longer than that; whether it was. Who waits clears it."""
    try:
        # Not wait_for: before Python 3.12 it swallows a cancellation that comes in the same moment as the event.
        async with asyncio.timeout(within_wall_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
