"""Whatever is typed wrongly is answered in words: what, why, and what to do; and nothing is made on the way."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.typed import MINIMAL, refused, typed
from zhongshu.cli.attach import NotRunning, attach, note_running
from zhongshu.kernel.config import DataDir, Ports
from zhongshu.kernel.nats_server import find_server, prepare, settings_file


@contextmanager
def subprocess_of(argv: list[str]) -> Iterator[None]:
    """A process for as long as the block lasts."""
    process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize(
    "words",
    [["status"], ["query", "x"], ["command", "press-1", "hold", "--by", "Li Wei"]],
    ids=lambda w: w[0],
)
def test_where_nothing_ever_ran_one_is_told_how_to_start(words: list[str], tmp_path: Path) -> None:
    said = refused(*words, "--data", tmp_path / "none")
    assert "no brain runs" in said and "zhongshu demo" in said
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("word", ["check", "run"])
def test_a_policy_that_can_not_be_is_told_before_anything_starts(word: str, tmp_path: Path) -> None:
    path = tmp_path / "plant.yaml"
    path.write_text(MINIMAL.read_text(encoding="utf-8") + "\npolicies: {standbye: {}}\n", encoding="utf-8")
    said = refused(word, path, "--data", tmp_path / "none")
    assert "policies.standbye: there is no such policy; did you mean 'standby'?" in said
    assert not (tmp_path / "none").exists()


def test_where_no_twin_runs_a_fault_says_so(tmp_path: Path) -> None:
    assert "twin" in refused("twin", "fault", "local", "press-1", "--data", tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"plant": 1}', ""])
def test_a_broken_note_is_named_with_its_remedy(text: str, tmp_path: Path) -> None:
    (tmp_path / "running.json").write_text(text)
    said = refused("status", "--data", tmp_path)
    assert "running.json" in said and "delete" in said


async def test_a_copied_directory_does_not_show_the_figures_of_the_one_that_runs(
    tmp_path: Path, free_ports: Callable[[], int]
) -> None:
    """Both know the same bus and password; only one of them is held."""
    first, copy = DataDir(tmp_path / "first"), tmp_path / "copy"
    prepare(first, Ports(bus=free_ports(), mqtt=free_ports()))
    note_running(first.path, "minimal", MINIMAL)
    with subprocess_of([str(find_server()), "-c", str(settings_file(first))]), first.lock():
        shutil.copytree(first.path, copy)
        async with attach(first.path) as here:
            assert here.plant_id == "minimal"
        with pytest.raises(NotRunning, match="no brain runs on"):
            async with attach(copy):
                pass


@pytest.mark.parametrize(
    ("text", "where"),
    [("a: [1\n", "bad.yaml:2"), ("", "empty"), ("plant: x\nnonsense: 1\n", "nonsense")],
    ids=["open bracket", "empty", "unknown key"],
)
def test_a_bad_plant_file_is_shown_with_the_place(text: str, where: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    said = refused("check", tmp_path / "bad.yaml", "--data", tmp_path / "d")
    assert where in said and "→" in said


def test_a_missing_plant_file_is_said(tmp_path: Path) -> None:
    assert "no such file" in refused("run", "none.yaml", cwd=tmp_path)
    assert "no such file" in refused("demo", cwd=tmp_path), "the kitchen plant lies in a checkout"


def test_check_tells_of_every_connection_what_is_wrong(tmp_path: Path, free_ports: Callable[[], int]) -> None:
    text = MINIMAL.read_text().replace("48401", str(free_ports())).replace("15021", str(free_ports()))
    (tmp_path / "plant.yaml").write_text(text)
    read = typed("check", tmp_path / "plant.yaml", "--data", tmp_path / "d")
    assert read.code == 1
    assert read.out.count("FAILED") == 3 and read.out.count("→") == 3


def test_a_directory_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refused("demo", "--plant", MINIMAL, "--data", tmp_path / "file")
    assert "cannot be used" in said and "--data" in said


def test_a_directory_in_use_names_who_holds_it(tmp_path: Path) -> None:
    with DataDir(tmp_path).lock():
        said = refused("demo", "--plant", MINIMAL, "--data", tmp_path)
    assert "in use by process" in said


def test_a_device_port_in_use_names_who_holds_it(tmp_path: Path, free_ports: Callable[[], int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = MINIMAL.read_text().replace("48401", str(free_ports())).replace("15021", str(port))
        (tmp_path / "plant.yaml").write_text(text)
        said = refused("demo", "--plant", tmp_path / "plant.yaml", "--data", tmp_path / "d")
    assert f"port {port}" in said and "packing" in said


@pytest.mark.parametrize("port", ["0", "99999", "x"])
def test_a_port_out_of_range_is_refused_as_it_was_typed(port: str, tmp_path: Path) -> None:
    assert "--port" in refused("demo", "--plant", MINIMAL, "--data", tmp_path, "--port", port)


def test_an_error_nobody_foresaw_is_one_line_that_asks_for_a_report(tmp_path: Path) -> None:
    said = refused("status", "--data", tmp_path / ("x" * 300))
    assert said.startswith("zhongshu: unexpected OSError") and "ZHONGSHU_TRACE=1" in said
