"""Make `.venv` what the lock files say: `python3 -m tools.bootstrap run` for the demo, `dev` for the tests."""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
from pathlib import Path

from tools.say import ROOT, run, say
from tools.uv import find_uv

VENV = ROOT / ".venv"
STAMP = VENV / "zhongshu-stamp"
LOCKS = {"run": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}


def main(wanted: str) -> None:
    """Do nothing if the stamp says that it is done."""
    digest = _digest()
    if _is_ready(wanted, digest):
        return
    uv, python = find_uv(), VENV / "bin/python"
    _make_venv(uv, python)
    say(f"installing {LOCKS[wanted].name} into .venv")
    pip = (uv, "pip", "install", "--quiet", "--python", python)
    if not run(*pip, "--require-hashes", "-r", LOCKS[wanted]):
        sys.exit("The packages could not be installed; the lines above say why.")
    if not run(*pip, "--no-deps", "--no-build-isolation", "-e", "."):
        sys.exit("zhongshu itself could not be installed; the lines above say why.")
    STAMP.write_text(f"{wanted} {digest}\n", encoding="utf-8")


def _make_venv(uv: str, python: Path) -> None:
    """A virtual environment of the Python that runs this script, unless there is one that works."""
    if run(python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))", quiet=True):
        return
    say(f"making .venv for Python {sys.version_info.major}.{sys.version_info.minor}")
    if not run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV):
        sys.exit("The virtual environment .venv could not be made; the lines above say why.")


def _is_ready(wanted: str, digest: str) -> bool:
    """The dev packages contain those of a run, so a demo is content with either."""
    if not (STAMP.exists() and (VENV / "bin/python").exists()):
        return False
    kind, _, stamped = STAMP.read_text(encoding="utf-8").strip().partition(" ")
    return stamped == digest and kind in ("dev", wanted)


def _digest() -> str:
    """Changes with the locks, the project's own description, and the place of the checkout."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    described = {key: project[key] for key in ("build-system", "project", "dependency-groups")}
    parts = [path.read_bytes() for path in LOCKS.values()]
    parts += [json.dumps(described, sort_keys=True).encode(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in LOCKS:
        sys.exit("usage: python3 -m tools.bootstrap run|dev")
    main(sys.argv[1])
