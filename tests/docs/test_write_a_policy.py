"""The how-to page about policies does what it says: its rule, its test and its plant file are run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.decide.policies.scene import TEXT
from zhongshu.decide.policies import Facts, switched_on
from zhongshu.kernel.plantfile import load_plant

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-policy.md"
TRUTH = "customer: {burst: 2, orders_per_h: 1.5, due_min_h: 4, due_max_h: 9}\n"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def write(folder: Path) -> None:
    for block in blocks("python"):
        (folder / block.split("\n")[0].removeprefix("# ")).write_text(block, encoding="utf-8")
    (folder / "plant.yaml").write_text(TEXT, encoding="utf-8")
    (folder / "twin.yaml").write_text(TRUTH, encoding="utf-8")


def test_the_rule_and_its_test_run(tmp_path: Path) -> None:
    write(tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_night.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "1 passed" in done.stdout


def test_the_plant_file_switches_it_on(tmp_path: Path) -> None:
    write(tmp_path)
    (said,) = blocks("yaml")
    (tmp_path / "plant.yaml").write_text(TEXT + said, encoding="utf-8")
    (found,) = switched_on(load_plant(tmp_path / "plant.yaml"))
    assert found.name == "night" and found.set("idle_min") == 3.0


def test_what_the_page_says_of_facts_is_there() -> None:
    rows = re.findall(r"^\| (`.*?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    names = {name.split("(")[0].split(".")[0] for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert len(names) >= 10
    assert names <= {name for name in dir(Facts) if not name.startswith("_")} | set(
        Facts.__dataclass_fields__
    )
