"""What a person types, and what they read; in a process of its own where a plant would be started."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from zhongshu.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
MINIMAL = ROOT / "plants/minimal/plant.yaml"
STARTING = ("run", "demo")


@dataclass(frozen=True)
class Read:
    """Exit code, standard output, standard error."""

    code: int
    out: str
    err: str


def typed(*words: str | Path, cwd: Path = ROOT) -> Read:
    """Run `zhongshu …`; nothing a person types may end in a trace."""
    argv = [str(word) for word in words]
    read = _apart(argv, cwd) if argv[0] in STARTING else _here(argv)
    assert "Traceback" not in read.err, read.err
    return read


def refused(*words: str | Path, cwd: Path = ROOT) -> str:
    """What is said of something that cannot be done; it goes to standard error, with an exit code that tells."""
    read = typed(*words, cwd=cwd)
    assert read.code and not read.out, read
    return read.err


def _apart(argv: list[str], cwd: Path) -> Read:
    environment = {name: value for name, value in os.environ.items() if name != "ZHONGSHU_DATA"}
    command = [sys.executable, "-m", "zhongshu.cli.main", *argv]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=60)
    return Read(done.returncode, done.stdout, done.stderr)


def _here(argv: list[str]) -> Read:
    out, err = io.StringIO(), io.StringIO()
    code: int | str | None = 0
    with mock.patch.object(sys, "argv", ["zhongshu", *argv]):
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main()
            except SystemExit as ended:
                code = ended.code
    if isinstance(code, str):  # the interpreter prints such a code and ends with 1
        return Read(1, out.getvalue(), err.getvalue() + code)
    return Read(code or 0, out.getvalue(), err.getvalue())
