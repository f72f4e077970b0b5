"""What the intake lets through: every sample once, doubles of a resubscription never, overflow and codes told."""

from __future__ import annotations

import math

from tests.connectors.link import START_NS, Recorder, make_point
from zhongshu.connectors.opcua import codec
from zhongshu.connectors.opcua.intake import Intake
from zhongshu.model.batch import BAD

MS = 1_000_000
SENSOR = 0x808C0000


def columns(*rows: tuple[int, float, int, int]) -> codec.Columns:
    """Rows of (handle, value, code, t in ms after the start; -1: none)."""
    made = codec.Columns()
    for handle, value, code, t_ms in rows:
        made.handle.append(handle)
        made.value.append(value)
        made.code.append(code)
        made.ticks.append(0 if t_ms < 0 else (START_NS + t_ms * MS) // 100 + codec.EPOCH_TICKS)
    return made


class Ground:
    """An intake of three points with ids 10, 11, 12."""

    def __init__(self) -> None:
        self.intake = Intake([make_point("M", n, id=10 + k) for k, n in enumerate("abc")])
        self.sink = Recorder()

    def take(self, *rows: tuple[int, float, int, int]) -> int:
        return self.intake.take(columns(*rows), 1, self.sink)


def test_after_a_resubscription_what_was_delivered_is_dropped_and_what_is_new_is_not() -> None:
    ground = Ground()
    ground.intake.resubscribed(range(3))
    assert ground.take((0, 1.0, 0, 100), (1, 5.0, 0, 100), (0, 2.0, 0, 200)) == 3
    ground.intake.resubscribed(range(3))
    # a: the very sample; b: another value at an old time (a device with its clock set back); c: never seen
    assert ground.take((0, 2.0, 0, 200), (1, 6.0, 0, 50), (2, 7.0, 0, 200)) == 2
    assert ground.sink.doubles() == {} and ground.intake.doubles == 1
    assert ground.sink.value[-2:] == [6.0, 7.0]


def test_only_the_first_notification_of_an_item_can_be_a_double() -> None:
    ground = Ground()
    ground.take((0, 1.0, 0, 100))
    ground.intake.resubscribed([0])
    assert ground.take((0, 1.0, 0, 100), (0, 1.0, 0, 300), (0, 1.0, 0, 250)) == 2
    assert ground.take((0, 1.0, 0, 200)) == 1  # a clock that runs backwards later on is not ours to judge


def test_a_status_that_changed_while_we_were_away_is_delivered_though_the_time_did_not_move() -> None:
    ground = Ground()
    ground.take((0, 1.0, 0, 100))
    ground.intake.resubscribed([0])
    assert ground.take((0, 1.0, SENSOR, 100)) == 1
    assert ground.sink.quality[-1] == BAD and math.isnan(ground.sink.value[-1])
    ground.intake.resubscribed([0])
    assert ground.take((0, math.nan, SENSOR, 100)) == 0


def test_no_source_time_is_zero_and_still_delivered() -> None:
    ground = Ground()
    assert ground.take((0, 1.0, 0, -1)) == 1
    assert ground.sink.t_ns == [0]


def test_no_value_yet_is_no_sample() -> None:
    ground = Ground()
    assert ground.take((0, math.nan, codec.WAITING, -1)) == 0
    assert ground.intake.waiting == 1 and ground.sink.point == []


def test_a_server_that_lost_the_value_turns_the_point_bad_once() -> None:
    ground = Ground()
    ground.take((0, 1.0, 0, 100))
    ground.intake.resubscribed([0])
    assert ground.take((0, math.nan, codec.WAITING, -1)) == 1
    assert (ground.sink.quality[-1], ground.sink.t_ns[-1]) == (BAD, 0)
    ground.intake.resubscribed([0])
    assert ground.take((0, math.nan, codec.WAITING, -1)) == 0


def test_infinite_and_missing_values_are_bad() -> None:
    ground = Ground()
    ground.take((0, math.inf, 0, 100), (1, math.nan, 0, 100), (2, 1.0, 0, 100))
    assert ground.sink.quality == [BAD, BAD, 0]


def test_an_overflow_is_told_with_its_interval_and_the_sample_is_kept() -> None:
    ground = Ground()
    ground.take((0, 1.0, 0, 100), (1, 1.0, 0, 100))
    assert ground.take((0, 4.0, codec.OVERFLOW, 400), (1, 4.0, codec.OVERFLOW, 400), (0, 5.0, 0, 500)) == 3
    (event,) = [e for e in ground.sink.events if e[0] == "missed"]
    assert event[1:] == ("queue_overflow", (), (10, 11), START_NS + 100 * MS + 1, START_NS + 400 * MS - 1, -1)
    assert ground.sink.quality == [0] * 5 and ground.intake.overflows == 2


def test_a_full_status_code_is_told_when_it_changes_and_not_again() -> None:
    ground = Ground()
    ground.take((0, 1.0, 0, 100), (0, 1.0, SENSOR, 200), (0, 1.0, SENSOR, 300))
    ground.take((0, 1.0, SENSOR, 400))
    ground.take((0, 1.0, 0, 500))
    texts = [e[3] for e in ground.sink.events if e[0] == "text"]
    assert [t.split()[0] for t in texts] == ["BadSensorFailure", "Good"]


def test_text_is_an_event_and_no_sample() -> None:
    ground = Ground()
    made = columns((0, math.nan, 0, 100), (1, 2.0, 0, 100))
    made.texts[0] = "早班"
    assert ground.intake.take(made, 1, ground.sink) == 1
    assert ("text", 10, START_NS + 100 * MS, "早班") in ground.sink.events and ground.sink.point == [11]


def test_handles_that_are_not_ours_are_ignored() -> None:
    ground = Ground()
    assert ground.take((7, 1.0, 0, 100), (2**32 - 1, 1.0, 0, 100), (2, 1.0, 0, 100)) == 1
