"""Measures what an installation weighs: the base package alone, and with every extra, each in a folder of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def measure(root: Path) -> dict[str, float]:
    """Megabytes on disk by name of the installation; empty where no installer can be had."""
    uv = shutil.which("uv") or next((str(p) for p in (root / ".tools").rglob("bin/uv")), None)
    if uv is None:
        return {}
    return {extra or "base": _installed_mb(uv, root, extra) for extra in ("", "all")}


def _installed_mb(uv: str, root: Path, extra: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        what = f"{root}[{extra}]" if extra else str(root)
        command = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", folder, what]
        subprocess.run(command, check=True)
        return (
            sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file() and not p.is_symlink()) / 1e6
        )
