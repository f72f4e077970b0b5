"""Bring what the tests meet from outside: a browser, a foreign broker, foreign stacks. Never an error, only a word."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from tools.say import ROOT, apt_install, run, say

NODE_TESTS = ROOT / "tests/connectors/foreign"
#: Any of the commands will do; else these Debian packages are asked for; what stays untested without them.
WANTED: tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...] = (
    (("chromium", "chromium-browser", "google-chrome"), ("chromium", "fonts-noto-cjk"), "the control room"),
    (("mosquitto",), ("mosquitto",), "a foreign MQTT broker"),
    (("mbpoll",), ("mbpoll",), "a foreign Modbus master"),
)
NODE = (("npm",), ("nodejs", "npm"), "foreign stacks on Node.js")


def main() -> None:
    """Look for each, install what is missing if that is ours to do, and say what will be skipped."""
    for commands, packages, untested in WANTED:
        _bring(commands, packages, untested)
    if (NODE_TESTS / "package.json").exists() and _bring(*NODE):
        _npm()


def _bring(commands: tuple[str, ...], packages: tuple[str, ...], untested: str) -> bool:
    """True if one of the commands is there in the end."""
    if _found(commands) or (apt_install(packages) and _found(commands)):
        return True
    say(
        f"{commands[0]} is not installed: tests of {untested} are skipped (apt-get install {' '.join(packages)})"
    )
    return False


def _found(commands: tuple[str, ...]) -> bool:
    """One of them is on the PATH, or where a system keeps its daemons."""
    return any(shutil.which(name) or Path("/usr/sbin", name).exists() for name in commands)


def _npm() -> None:
    """Install the foreign stacks beside their tests, again only when their list has changed."""
    lists = [path for name in ("package.json", "package-lock.json") if (path := NODE_TESTS / name).exists()]
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in lists)).hexdigest()
    stamp = NODE_TESTS / "node_modules/zhongshu-stamp"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return
    say("npm: installing foreign stacks for the tests")
    # A lock file names the hosts it was made with unless told not to; ours holds versions and hashes only.
    verb = ("ci",) if len(lists) == 2 else ("install", "--no-package-lock")
    quiet = ("--no-fund", "--no-audit", "--no-update-notifier", "--loglevel=error", "--fetch-retries=1")
    if run("npm", "--prefix", NODE_TESTS, *verb, *quiet):
        stamp.write_text(digest, encoding="utf-8")
    else:
        say("npm could not install them: tests of foreign stacks on Node.js are skipped")


if __name__ == "__main__":
    main()
