"""The files that the laws are about: read once, as text."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src/zhongshu"
CONNECTORS = PACKAGE / "connectors"
MADE = {"__pycache__", "node_modules", "build", "dist"}


@cache
def files() -> tuple[Path, ...]:
    """What belongs to the repository: tracked, or new and not ignored; without git, all that make did not make."""
    names = _known_to_git() or _walked()
    return tuple(path for name in sorted(set(names)) if (path := ROOT / name).is_file())


def _known_to_git() -> list[str]:
    """Empty where there is no git, or where this is not a checkout."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    return [name for name in listed.split("\0") if name]


def _walked() -> list[str]:
    """Every file outside hidden folders, caches and installed packages."""
    found = []
    for folder, below, names in os.walk(ROOT):
        below[:] = [name for name in below if not name.startswith(".") and name not in MADE]
        found += [Path(folder, name).relative_to(ROOT).as_posix() for name in names]
    return found


def python(*folders: str) -> Iterator[tuple[str, str]]:
    """Path from the root, and text, of every module below the folders that a person wrote."""
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(folders) and name.endswith(".py") and not name.endswith("_pb2.py"):
            yield name, path.read_text(encoding="utf-8")


def texts() -> Iterator[tuple[str, str]]:
    """Path from the root, and text, of everything that is text."""
    for path in files():
        try:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def connector_folders() -> list[Path]:
    """One folder a protocol; those that start with an underscore are shared by several."""
    return sorted(
        path for path in CONNECTORS.iterdir() if path.is_dir() and not path.name.startswith(("_", "."))
    )
