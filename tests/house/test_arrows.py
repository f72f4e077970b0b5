"""The floor plan holds for every folder there is, and the contracts in `.importlinter` do bite."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import CONNECTORS, PACKAGE, ROOT

CONTRACTS = ROOT / ".importlinter"


def unplaced(folder: Path, contract: str) -> list[str]:
    """Folders below ``folder`` that the contract does not place, or that Python does not see as a package."""
    config = configparser.ConfigParser()
    config.read(CONTRACTS, encoding="utf-8")
    placed = set(re.findall(r"\((\w+)\)", config[f"importlinter:contract:{contract}"]["layers"]))
    found = []
    for path in sorted(folder.iterdir()):
        if not path.is_dir() or path.name == "__pycache__":
            continue
        if path.name not in placed:
            found.append(f"{path.name}: no place in .importlinter; see CONTRIBUTING.md before giving it one")
        elif not (path / "__init__.py").exists():
            found.append(f"{path.name}: no __init__.py, so that no contract sees it")
    return found


def broken(tree: Path) -> tuple[list[str], str]:
    """The contracts that import-linter finds broken in a tree, and all it says."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree / "src"), "PYTHONSAFEPATH": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert "Contracts: " in said, said
    names = [line.split(" BROKEN")[0] for line in said.splitlines() if " BROKEN" in line]
    assert bool(names) == bool(done.returncode), said
    return names, said


@pytest.fixture(scope="module")
def small_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with every folder of the plan and nothing in it."""
    tree = tmp_path_factory.mktemp("house")
    shutil.copy(CONTRACTS, tree)
    rooms = "cli web plant twin sense understand decide act historian kernel model connectors"
    protocols = "opcua modbus mqtt sparkplug vda5050 _mqtt"
    house = tree / "src/zhongshu"
    for name in [*rooms.split(), *(f"connectors/{protocol}" for protocol in protocols.split())]:
        (house / name).mkdir(parents=True)
        (house / name / "__init__.py").touch()
        if name != "connectors":
            (house / name / "client.py").touch()
    (house / "__init__.py").touch()
    return tree


def test_every_folder_has_its_place() -> None:
    assert unplaced(PACKAGE, "floors") + unplaced(CONNECTORS, "protocols") == []


def test_a_new_folder_is_noticed(tmp_path: Path) -> None:
    for name in ("model", "attic"):
        (tmp_path / name).mkdir()
    (tmp_path / "__pycache__").mkdir()
    assert [found.split(":")[0] for found in unplaced(tmp_path, "floors")] == ["attic", "model"]


def test_the_plan_itself_is_sound(small_house: Path) -> None:
    assert broken(small_house)[0] == []


@pytest.mark.parametrize(
    ("room", "line", "contract"),
    [
        ("kernel", "import zhongshu.historian.client", "Imports point down"),
        ("sense", "import zhongshu.decide.client", "the stages never import one another"),
        ("act", "import zhongshu.connectors.opcua.client", "the stages never import one another"),
        ("plant", "import zhongshu.twin.client", "Imports point down"),
        ("web", "import zhongshu.act.client", "The web meets the stages"),
        ("twin", "import zhongshu.decide.client", "The twin never imports the brain"),
        ("twin", "import zhongshu.historian.client", "The twin does not know the historian"),
        ("twin", "import zhongshu.connectors.opcua.client", "never a client"),
        ("connectors/opcua", "import zhongshu.historian.client", "Connectors do not know the historian"),
        ("connectors/opcua", "import zhongshu.connectors.modbus.client", "imports no other protocol"),
        ("plant", "import nicegui.ui", "stay in web"),
        ("web", "import asyncua", "asyncua stays"),
        ("connectors/opcua", "from pymodbus import client", "pymodbus stays"),
        ("connectors/sparkplug", "import aiomqtt", "MQTT clients stay"),
        ("connectors/vda5050", "import google.protobuf", "Protocol Buffers stay"),
        ("sense", "import simpy", "simpy stays"),
        ("act", "from ortools.sat.python import cp_model", "Solvers and compiled search stay"),
        ("understand", "import duckdb", "DuckDB stay"),
        ("historian", "import nats.js", "NATS client stays"),
        ("model", "from time import sleep", "no I/O"),
        ("sense", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import zhongshu.act", "stages"),
    ],
)
def test_a_forbidden_arrow_breaks(small_house: Path, room: str, line: str, contract: str) -> None:
    planted = small_house / "src/zhongshu" / room / "planted.py"
    planted.write_text(line + "\n", encoding="utf-8")
    try:
        names, said = broken(small_house)
    finally:
        planted.unlink()
    assert [name for name in names if contract in name], said


def test_a_new_folder_breaks_the_contract(small_house: Path) -> None:
    attic = small_house / "src/zhongshu/attic"
    attic.mkdir()
    (attic / "__init__.py").touch()
    try:
        names, said = broken(small_house)
    finally:
        shutil.rmtree(attic)
    assert [name for name in names if "Imports point down" in name] and "zhongshu.attic" in said
