"""Samples in, facts out: the pure state machine of one unit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zhongshu.model import roles
from zhongshu.model.messages import JobProgressed, StateChanged, TransportProgressed
from zhongshu.model.states import JobState, TransportState, UnitMode, UnitState
from zhongshu.understand.units import UnitWatch
from zhongshu.understand.watched import Seen


def seen(role: str, t_ns: int, value: float, quality: int = 0) -> Seen:
    """A sample of unit u."""
    return Seen("u", role, t_ns, value, quality)


def watch_after(*samples: Seen) -> UnitWatch:
    """A watch that took these and has said what follows from them."""
    watch = UnitWatch("p", "u")
    for sample in samples:
        watch.take(sample)
    watch.facts(0)
    return watch


def test_a_state_is_said_once_with_the_time_of_its_sample() -> None:
    watch = watch_after(seen(roles.UNIT_MODE, 5, UnitMode.PRODUCTION))
    watch.take(seen(roles.UNIT_STATE, 10, UnitState.EXECUTE))
    [fact] = watch.facts(99)
    assert fact == StateChanged(
        "p", "understand", 10, "u", "EXECUTE", "PRODUCTION", "UNDEFINED", "PRODUCTION"
    )
    assert watch.facts(100) == []


def test_a_state_of_bad_quality_is_undefined_until_it_is_good_again() -> None:
    watch = watch_after(seen(roles.UNIT_STATE, 10, UnitState.EXECUTE))
    watch.take(seen(roles.UNIT_STATE, 20, UnitState.EXECUTE, quality=2))
    [lost] = watch.facts(21)
    assert isinstance(lost, StateChanged) and lost.state == "UNDEFINED"
    watch.take(seen(roles.UNIT_STATE, 30, UnitState.EXECUTE))
    [back] = watch.facts(31)
    assert isinstance(back, StateChanged) and back.state == "EXECUTE"


def test_a_new_key_with_the_old_job_s_state_is_no_fact_yet() -> None:
    watch = watch_after(seen(roles.JOB_KEY, 10, 1), seen(roles.JOB_STATE, 11, JobState.DONE))
    watch.take(seen(roles.JOB_KEY, 20, 2))
    assert watch.facts(20) == []
    watch.take(seen(roles.JOB_STATE, 20, JobState.SETUP))
    [fact] = watch.facts(21)
    assert fact == JobProgressed("p", "understand", 20, "u", 2, "SETUP", 0, 0)


def test_counts_that_come_a_moment_after_the_end_are_said_too() -> None:
    watch = watch_after(
        seen(roles.JOB_KEY, 10, 1), seen(roles.JOB_STATE, 11, JobState.DONE), seen(roles.JOB_GOOD, 9, 4)
    )
    watch.take(seen(roles.JOB_GOOD, 11, 5))
    [fact] = watch.facts(12)
    assert isinstance(fact, JobProgressed) and (fact.state, fact.good) == ("DONE", 5)


def test_a_vehicle_s_order_is_followed() -> None:
    watch = UnitWatch("p", "u")
    for role, value in ((roles.ORDER_KEY, 7), (roles.ORDER_STATE, TransportState.RUNNING), (roles.LOAD, 12)):
        watch.take(seen(role, 10, value))
    [fact] = watch.facts(11)
    assert fact == TransportProgressed("p", "understand", 10, "u", 7, "RUNNING", 12)


@given(st.lists(st.tuples(st.integers(1, 50), st.sampled_from([2, 4, 6, 9])), max_size=30))
def test_the_order_of_delivery_does_not_change_the_last_word(samples: list[tuple[int, int]]) -> None:
    newest = dict(samples)
    tidy = sorted(newest.items())
    straight, shuffled = UnitWatch("p", "u"), UnitWatch("p", "u")
    for t, state in tidy:
        straight.take(seen(roles.UNIT_STATE, t, state))
    for t, state in reversed(tidy):
        shuffled.take(seen(roles.UNIT_STATE, t, state))
    straight.facts(0)
    shuffled.facts(0)
    assert straight.said_state == shuffled.said_state
