"""Rewrite the lock files from pyproject.toml: names, versions and hashes only, so that any index will do."""

from __future__ import annotations

import sys

from tools.say import ROOT, run, say
from tools.uv import find_uv

OPTIONS = (
    "--universal",  # one file for every platform and every Python that we support
    "--python-version=3.11",
    "--generate-hashes",
    "--no-header",  # it would name the command and the options of whoever ran it
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-emit-package=zhongshu",
    "--quiet",
)
PLAN: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("requirements.lock", ("pyproject.toml", "--extra=all", "--group=build")),
    ("requirements-dev.lock", ("pyproject.toml", "--extra=all", "--group=dev", "-c", "requirements.lock")),
    ("requirements-uv.lock", ("tools/uv.in", "--no-annotate")),
)


def main(upgrade: bool) -> None:
    """Keep the locked versions where they still fit; `--upgrade` asks for the newest of everything."""
    uv = find_uv()
    newer = ("--upgrade",) if upgrade else ()
    for name, sources in PLAN:
        if not run(uv, "pip", "compile", *sources, *OPTIONS, *newer, "-o", name):
            sys.exit(f"{name} could not be written; the lines above say why.")
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        say(f"{name}: {sum('==' in line.split(' ')[0] for line in lines)} packages")


if __name__ == "__main__":
    main("--upgrade" in sys.argv[1:])
