"""Every data type in every word and byte order, there and back, one by one and as a whole image."""

from __future__ import annotations

import math
import struct
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.link import make_point
from zhongshu.connectors.modbus.codec import (
    WORD,
    Layout,
    NotRepresentable,
    Place,
    place_of,
    value_of,
    words_of,
)
from zhongshu.connectors.modbus.config import Dtype, Settings, settings_of
from zhongshu.connectors.modbus.plan import Limits, Plan, blocks, halves

DTYPES = get_args(Dtype)
STRUCT = {
    "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "uint64": ">Q",
    "float32": ">f", "float64": ">d", "bit": ">H",
}  # fmt: skip
ORDERS = st.sampled_from(["big", "little"])
EXACT = 2**53


def values(dtype: str) -> st.SearchStrategy[float]:
    if dtype.startswith("float"):
        return st.floats(width=int(dtype[5:]), allow_nan=False, allow_infinity=False)  # type: ignore[arg-type]
    if dtype == "bit":
        return st.integers(0, 1).map(float)
    bits, signed = int(dtype.lstrip("uint")), not dtype.startswith("u")
    low = -(2 ** (bits - 1)) if signed else 0
    high = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    return st.integers(max(low, -EXACT), min(high, EXACT)).map(float)


def by_struct(place: Place, value: float) -> list[int]:
    """The registers by Python's own struct module, a second opinion."""
    number = value if place.dtype.startswith("float") else int(value)
    raw = struct.pack(STRUCT[place.dtype], number)
    words = [raw[i : i + 2] for i in range(0, len(raw), 2)]
    if place.word_order == "little":
        words.reverse()
    return [int.from_bytes(w, "big" if place.byte_order == "big" else "little") for w in words]


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str, str, float]:
    dtype = draw(st.sampled_from(DTYPES))
    return dtype, draw(ORDERS), draw(ORDERS), draw(values(dtype))


@given(st.lists(written(), min_size=1, max_size=60), st.integers(0, 3))
def test_any_image_comes_back(image: list[tuple[str, str, str, float]], gap: int) -> None:
    places, register = [], 0
    for dtype, words, octets, _ in image:
        places.append(Place("holding", register, dtype, words, octets))
        register = places[-1].end + gap
    expected = np.array([value for *_, value in image])
    memory = np.zeros(register, dtype=WORD)
    layout = Layout(places, [p.register for p in places])
    layout.encode(memory, np.arange(len(places)), expected)
    for place, value in zip(places, expected, strict=True):
        held = memory[place.register : place.end].tolist()
        assert held == by_struct(place, float(value)) == words_of(place, float(value))
        assert value_of(place, held) == value
    plan = Plan(places, blocks(places, range(len(places)), Limits(125, 2000, 2)), first=0)
    answers = [memory[b.start : b.start + b.count] for b in plan.blocks]
    assert np.array_equal(plan.values(answers), expected)
    assert all(b.count <= 125 for b in plan.blocks) and 0 in plan.blocks[0].rows


@pytest.mark.parametrize("order", ["big", "little"])
def test_words_and_bytes_lie_as_the_manuals_say(order: str) -> None:
    assert words_of(Place("holding", 0, "float32", order, "big"), 123.456) == (
        [0x42F6, 0xE979] if order == "big" else [0xE979, 0x42F6]
    )
    assert words_of(Place("holding", 0, "int32", order, "little"), 0x01020304) == (
        [0x0201, 0x0403] if order == "big" else [0x0403, 0x0201]
    )


@pytest.mark.parametrize(
    ("dtype", "value", "key"),
    [
        ("int16", 32768, "write.out_of_range"),
        ("int16", -32769, "write.out_of_range"),
        ("uint16", -1, "write.out_of_range"),
        ("uint32", 2.0**32, "write.out_of_range"),
        ("int64", 2.0**63, "write.out_of_range"),
        ("uint64", 2.0**64, "write.out_of_range"),
        ("float32", 1e39, "write.out_of_range"),
        ("bit", 2, "write.out_of_range"),
        ("int32", 1.5, "write.not_whole"),
        ("float64", math.nan, "write.not_finite"),
        ("uint16", math.inf, "write.not_finite"),
    ],
)
def test_what_a_type_cannot_hold_is_never_written(dtype: str, value: float, key: str) -> None:
    with pytest.raises(NotRepresentable) as error:
        words_of(Place("holding", 0, dtype, "big", "big"), value)
    assert error.value.key == key


def test_what_scaling_leaves_is_forgiven() -> None:
    assert words_of(Place("holding", 0, "int16", "big", "big"), 21.3 / 0.1) == [213]


def test_a_published_value_is_cut_to_its_type() -> None:
    place = Place("holding", 0, "int16", "big", "big")
    memory = np.zeros(1, dtype=WORD)
    for value, held in ((1e9, 32767), (-1e9, -32768), (math.nan, 0), (2.6, 3)):
        Layout([place], [0]).encode(memory, np.zeros(1, np.int64), np.array([value]))
        assert value_of(place, memory.tolist()) == held


def test_blocks_merge_over_small_gaps_and_stop_at_the_limit() -> None:
    places = [Place("holding", r, "uint16", "big", "big") for r in (0, 3, 30, 120, 126)]
    made = blocks(places, range(5), Limits(125, 2000, 16))
    assert [(b.start, b.count) for b in made] == [(0, 4), (30, 1), (120, 7)]
    assert [(b.start, b.count) for b in blocks(places, range(5), Limits(125, 2000, 100))] == [
        (0, 121),
        (126, 1),
    ]
    bits = [Place("coil", r, "bit", "big", "big") for r in (0, 1990, 2000)]
    assert [b.count for b in blocks(bits, range(3), Limits(125, 2000, 2000))] == [1991, 1]


def test_a_refused_block_is_cut_at_its_widest_gap() -> None:
    places = [Place("input", r, "uint16", "big", "big") for r in (0, 1, 9, 10, 11)]
    (block,) = blocks(places, range(5), Limits(125, 2000, 16))
    assert [(b.start, b.count) for b in halves(block, places)] == [(0, 2), (9, 3)]
    assert [b.rows for b in halves(halves(block, places)[1], places)] == [(2,), (3, 4)]
    assert halves(halves(halves(block, places)[1], places)[0], places) == ()


@pytest.mark.parametrize(
    "address",
    [
        {"table": "coil", "register": 1, "dtype": "int16"},
        {"table": "holding", "register": 1, "dtype": "bit"},
        {"table": "holding", "register": 65534, "dtype": "float64"},
        {"table": "holding", "register": -1, "dtype": "int16"},
        {"table": "shelf", "register": 1, "dtype": "int16"},
        {"register": 1, "dtype": "int16", "bits": 3},
        {"dtype": "int16"},
    ],
)
def test_an_impossible_address_names_its_point(address: dict[str, object]) -> None:
    point = make_point("press", "speed", address=address)
    with pytest.raises(ValueError, match="site/area/line/press/speed"):
        place_of(point, settings_of({"host": "h"}))


def test_every_setting_is_described() -> None:
    assert all(f.description for f in Settings.model_fields.values())
    with pytest.raises(ValueError, match="prot"):
        settings_of({"host": "h", "prot": 502})
