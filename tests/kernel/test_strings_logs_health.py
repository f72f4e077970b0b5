"""Words for people, lines for logs, figures once a second."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from zhongshu.kernel.bus import BusError
from zhongshu.kernel.health import Health, gather
from zhongshu.kernel.logs import OneLine
from zhongshu.kernel.memory_bus import MemoryBus
from zhongshu.kernel.strings import LANGUAGES, StringsError, strings_of


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of its own, whose strings.toml the test writes."""
    folder = tmp_path / "words_for_test"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    strings_of.cache_clear()
    yield folder
    sys.modules.pop("words_for_test", None)


def test_texts_in_both_languages_with_values(package: Path) -> None:
    (package / "strings.toml").write_text(
        '[plain]\nzh = "设备"\nen = "device"\n[late.order]\nzh = "{order} 晚 {hours:.1f} 小时"\nen = "{order}: {hours:.1f} h late"\n'
    )
    words = strings_of("words_for_test")
    assert words.text("plain", "zh") == "设备"
    assert words.text("late.order", "en", order="W1", hours=2) == "W1: 2.0 h late"
    assert words.text("late.order", "zh", order="W1", hours=2) == "W1 晚 2.0 小时"
    assert words.keys == {"plain", "late.order"}
    for key, language, said in (
        ("none", "zh", "'none'"),
        ("plain", "fr", "'fr'"),
        ("late.order", "en", "needs the value 'order'"),
    ):
        with pytest.raises(StringsError, match=said):
            words.text(key, language)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('[a]\nzh = "x"\n', r"'a' must hold exactly zh and en, has \['zh'\]"),
        ('[a]\nzh = "x"\nen = "x"\nde = "x"\n', "exactly zh and en"),
        ('[a]\nzh = "x"\nen = 1\n', "exactly zh and en"),
        ('a = "x"\n', "'a' is not a table"),
        ("[a", "cannot be read"),
    ],
)
def test_malformed_files_are_refused(package: Path, toml: str, said: str) -> None:
    (package / "strings.toml").write_text(toml)
    with pytest.raises(StringsError, match=said):
        strings_of("words_for_test")


def test_missing_files_are_named(package: Path) -> None:
    with pytest.raises(StringsError, match=r"words_for_test/strings\.toml cannot be read"):
        strings_of("words_for_test")
    with pytest.raises(StringsError, match=r"no\.such\.package"):
        strings_of("no.such.package")


def test_the_kernels_own_texts_have_the_same_values_in_both_languages() -> None:
    import string

    words = strings_of("zhongshu.kernel")
    for key in words.keys:
        named = [
            {field for _, field, _, _ in string.Formatter().parse(words._texts[key][language])} - {None}
            for language in LANGUAGES
        ]
        assert named[0] == named[1], key


def test_one_line_an_event() -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        record = logging.LogRecord(
            "zhongshu.x", logging.ERROR, "f", 1, "lost %s\nand more", ("bus",), sys.exc_info()
        )
    record.created, record.msecs = 0.25, 250.0
    line = OneLine("sense").format(record)
    assert line.startswith("1970-01-01T00:00:00.250Z ERROR sense zhongshu.x: lost bus | and more | Traceback")
    assert line.endswith("ValueError: first | second")
    assert "\n" not in line


async def test_figures_are_gathered_from_every_process() -> None:
    bus = MemoryBus()

    def broken() -> dict[str, object]:
        raise KeyError("count")

    processes = [
        asyncio.create_task(Health(bus, "p", "sense", lambda: {"batches": 7, "path": Path("x")}).run()),
        asyncio.create_task(Health(bus, "p", "act", broken).run()),
        asyncio.create_task(Health(bus, "q", "other", dict).run()),
    ]
    heard = await gather(bus, "p", 1.3)
    assert set(heard) == {"sense", "act"}
    assert heard["sense"]["batches"] == 7
    assert heard["sense"]["pid"] > 0
    assert "KeyError" in heard["act"]["error"]
    for process in processes:
        process.cancel()


async def test_health_waits_for_a_bus_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhongshu.kernel.health.PERIOD_S", 0.01)
    bus, tries = MemoryBus(), 0

    async def emit(subject: str, payload: bytes) -> None:
        nonlocal tries
        tries += 1
        raise BusError("away")

    monkeypatch.setattr(bus, "emit", emit)
    running = asyncio.create_task(Health(bus, "p", "sense", dict).run())
    await asyncio.sleep(0.2)
    assert tries > 2
    assert not running.done()
    running.cancel()
