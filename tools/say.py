"""One way to talk to whoever runs make, and one way to run a program and see whether it worked."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: For every program that we start, unless the caller's environment says otherwise.
SETTINGS = {
    "DEBIAN_FRONTEND": "noninteractive",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_ROOT_USER_ACTION": "ignore",  # a private folder belongs to whoever made it
    # Trust what the system trusts: many companies look into TLS with an authority of their own.
    "UV_SYSTEM_CERTS": "1",
    "UV_NATIVE_TLS": "1",  # the same, as older versions call it
    "NODE_EXTRA_CA_CERTS": "/etc/ssl/certs/ca-certificates.crt",  # the same for Node.js; an absent file only draws a warning
}


def say(words: str) -> None:
    """Tell one thing, at once."""
    print(f"▸ {words}", file=sys.stderr, flush=True)


def run(*command: str | Path, quiet: bool = False) -> bool:
    """Run a program in the checkout; true if it said yes. A program that cannot be started says no."""
    sink = subprocess.DEVNULL if quiet else sys.stderr
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=ROOT,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.DEVNULL if quiet else None,
            env=SETTINGS | os.environ,
        )
    except OSError:
        return False
    return done.returncode == 0


def may_apt() -> bool:
    """Packages of the system may be installed: Debian or a child of it, as root, and nobody said no."""
    forbidden = os.environ.get("ZHONGSHU_NO_APT", "") not in ("", "0")
    return not forbidden and os.geteuid() == 0 and Path("/usr/bin/apt-get").exists()


def apt_install(packages: Sequence[str]) -> bool:
    """Install packages of the system without a question; false if that could not be done."""
    if not may_apt():
        return False
    say(f"apt-get install {' '.join(packages)}  (ZHONGSHU_NO_APT=1 forbids it)")
    # A list of packages that is stale or partly out of reach may still be good enough for what we want.
    run("apt-get", "update", "-qq", quiet=True)
    return run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages, quiet=True)
