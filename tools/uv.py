"""Find the installer `uv`, or bring it into `.tools/` of the checkout without touching the system's Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tools.say import ROOT, apt_install, run, say

PRIVATE = ROOT / ".tools"
LOCK = ROOT / "requirements-uv.lock"
OLDEST = (0, 5)

REMEDY = """Cannot install Python packages: this Python has neither venv nor pip.
  Debian, Ubuntu:  apt-get install python3-venv
  or install uv in any way you like, so that `uv` is on the PATH, and try again."""


def find_uv() -> str:
    """Path of a uv that works; ends the program with a remedy if none can be had."""
    for candidate in (shutil.which("uv"), *_private()):
        if candidate and _works(candidate):
            return candidate
    say("bringing uv into .tools/")
    if _by_venv() or _by_target() or (apt_install(["python3-venv"]) and _by_venv()):
        for candidate in _private():
            if _works(candidate):
                return candidate
    sys.exit(REMEDY)


def _private() -> tuple[str, ...]:
    """Where the two ways below put it."""
    return str(PRIVATE / "uv/bin/uv"), str(PRIVATE / "uv-flat/bin/uv")


def _works(uv: str) -> bool:
    """It starts and is not too old."""
    try:
        answer = subprocess.run([uv, "--version"], capture_output=True, text=True, check=True).stdout
        return tuple(int(part) for part in answer.split()[1].split(".")[:2]) >= OLDEST
    except (OSError, subprocess.CalledProcessError, IndexError, ValueError):
        return False


def _by_venv() -> bool:
    """A private virtual environment; Debian's Python has no ensurepip until python3-venv is installed."""
    home = PRIVATE / "uv"
    shutil.rmtree(home, ignore_errors=True)
    made = run(sys.executable, "-m", "venv", home, quiet=True)
    return made and _pip(home / "bin/python")


def _by_target() -> bool:
    """A plain folder, for a Python with pip and without venv; never the system's own site-packages."""
    home = PRIVATE / "uv-flat"
    shutil.rmtree(home, ignore_errors=True)
    has_pip = run(sys.executable, "-m", "pip", "--version", quiet=True)
    return has_pip and _pip(sys.executable, "--target", home)


def _pip(python: str | Path, *where: str | Path) -> bool:
    """Install the locked uv."""
    return run(python, "-m", "pip", "install", "-q", "--require-hashes", "-r", LOCK, *where)
