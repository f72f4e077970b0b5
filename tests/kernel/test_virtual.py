"""Virtual time: timers of one moment keep their order, and work handed to a thread is done where it stands."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from zhongshu.kernel.virtual import run


@pytest.mark.parametrize("others", [0, 1, 7])
def test_of_one_moment_who_set_his_timer_first_comes_first(others: int) -> None:
    """Whatever other timers there are: one timeout more or less anywhere must not make another day."""
    woken: list[int] = []

    async def sleeper(name: int, seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append(name)

    async def whole() -> None:
        loop = asyncio.get_running_loop()
        for k in range(others):
            loop.call_later(0.5 + k / 10, lambda: None).cancel()
            loop.call_later(0.2 + k / 10, lambda: None)
        await asyncio.gather(*(sleeper(name, 1.0) for name in range(20)))

    run(whole)
    assert woken == list(range(20))


def test_what_is_handed_to_a_thread_is_done_at_once_and_others_have_a_turn_before_it_is_told() -> None:
    told: list[str] = []

    async def other() -> None:
        told.append("other")

    async def whole() -> None:
        task = asyncio.create_task(other())
        await asyncio.to_thread(told.append, "work")
        told.append("after")
        await task

    run(whole)
    assert told == ["work", "other", "after"]


def test_what_fails_in_a_thread_fails_at_who_waits_for_it() -> None:
    def fails() -> None:
        raise LookupError("nothing there")

    async def whole() -> None:
        with pytest.raises(LookupError, match="nothing there"):
            await asyncio.to_thread(fails)

    run(whole)


def test_who_is_cancelled_while_waiting_leaves_nothing_behind() -> None:
    count, troubles = itertools.count(1), list[object]()

    async def whole() -> int:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: troubles.append(what))
        waiting = asyncio.ensure_future(asyncio.to_thread(next, count))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return await asyncio.to_thread(next, count)

    assert run(whole) == 2 and not troubles
