"""Every connector folder has the same shape and says, rule by rule, how good it is."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.house.tree import connector_folders

SHAPE = (
    "__init__.py",
    "client.py",
    "codec.py",
    "config.py",
    "manifest.toml",
    "peer.py",
    "quality.toml",
    "strings.toml",
)

#: The quality scale. Bronze and silver are done or exempt; gold may also be still to do. Each but done has a reason.
SCALE: dict[str, dict[str, str]] = {
    "bronze": {
        "shape": "the folder holds the seven files",
        "manifest": "the manifest is valid and its library is pinned",
        "config_described": "every config field is described, with its unit",
        "strings": "words in Chinese and English",
        "check_before_save": "`zhongshu check` tries the connection before it is saved",
        "contract_suite": "passes the contract suite against its peer",
        "stable_ids": "every point has an id that stays",
    },
    "silver": {
        "reconnect": "reconnects with bounded back-off; sessions never leak",
        "log_once": "one log line when lost, one when back",
        "staleness": "stale points turn Bad, never last-good-for-ever",
        "bounded_queues": "queues are bounded, drops counted, gaps in a ledger",
        "both_times": "source and receive time are both kept",
        "write_proof": "a write is request and read-back, or acknowledgement, with a timeout",
        "server_limits": "reads the server's limits and batches under them",
    },
    "gold": {
        "foreign_frames": "frames recorded from two foreign stacks in the tests",
        "discovery": "browse or discovery",
        "diagnostics": "a diagnostics dump without secrets",
        "measured_limits": "limits measured, and refused above",
        "howto": "a how-to page with the known limitations",
        "credential_renewal": "credentials renewed without restart",
    },
}


def shape(names: Iterable[str], folder: str) -> list[str]:
    """Files of the shape that are absent."""
    present = set(names)
    return [f"{folder}/{name} is missing" for name in SHAPE if name not in present]


def quality(raw: Mapping[str, Any], folder: str) -> list[str]:
    """Rules that are absent, unknown, or answered with something that is no answer."""
    found = [f"{folder}/quality.toml: [{level}] is no level" for level in raw if level not in SCALE]
    for level, rules in SCALE.items():
        given = raw.get(level, {})
        found += [
            f"{folder}/quality.toml: [{level}] {rule} is no rule" for rule in given if rule not in rules
        ]
        for rule, meaning in rules.items():
            if not _answered(given.get(rule), level):
                ways = 'or { todo = "why" }' if level == "gold" else "nothing else"
                found.append(
                    f'{folder}/quality.toml: [{level}] {rule} ({meaning}): "done", {{ exempt = "why" }} {ways}'
                )
    return found


def claim(level: str, raw: Mapping[str, Any], folder: str) -> list[str]:
    """The manifest claims a level only if nothing of that level is still to do."""
    if level not in SCALE:
        return [f"{folder}/manifest.toml: quality {level!r} is none of {', '.join(SCALE)}"]
    pending = [
        rule for rule, answer in raw.get("gold", {}).items() if isinstance(answer, dict) and "todo" in answer
    ]
    if level == "gold" and pending:
        return [f"{folder}/manifest.toml: claims gold with {', '.join(pending)} still to do"]
    if level == "bronze":
        return [f"{folder}/manifest.toml: silver is the least that is shipped"]
    return []


def _answered(answer: object, level: str) -> bool:
    """``"done"``, or a table with one key and a reason worth reading."""
    if answer == "done":
        return True
    allowed = ("exempt", "todo") if level == "gold" else ("exempt",)
    if not (isinstance(answer, dict) and len(answer) == 1):
        return False
    ((status, reason),) = answer.items()
    return status in allowed and isinstance(reason, str) and len(reason.strip()) >= 8


def _toml(path: Path) -> dict[str, Any]:
    """An absent file answers nothing; the law of the shape names it."""
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def test_every_folder_is_in_shape() -> None:
    assert [
        f for folder in connector_folders() for f in shape((p.name for p in folder.iterdir()), folder.name)
    ] == []


def test_every_rule_is_answered() -> None:
    assert [
        f for folder in connector_folders() for f in quality(_toml(folder / "quality.toml"), folder.name)
    ] == []


def test_no_level_is_claimed_without_its_rules() -> None:
    found = []
    for folder in connector_folders():
        manifest, answers = _toml(folder / "manifest.toml"), _toml(folder / "quality.toml")
        found += claim(str(manifest.get("quality")), answers, folder.name)
    assert found == []


def test_these_laws_bite() -> None:
    full: dict[str, dict[str, Any]] = {level: dict.fromkeys(rules, "done") for level, rules in SCALE.items()}
    assert shape(SHAPE, "x") == [] and shape(SHAPE[1:], "x") == ["x/__init__.py is missing"]
    assert quality(full, "x") == [] and claim("gold", full, "x") == []

    def planted(level: str, rule: str, answer: object) -> list[str]:
        return quality({**full, level: {**full[level], rule: answer}}, "x")

    assert planted("silver", "staleness", {"exempt": "the device pushes its own heartbeat"}) == []
    assert planted("silver", "staleness", {"exempt": ""}) and planted("silver", "staleness", "perhaps")
    assert planted("silver", "staleness", {"todo": "will come with the next version"})
    assert planted("gold", "discovery", {"todo": "will come with the next version"}) == []
    assert planted("bronze", "speed", "done") and quality({**full, "platinum": {}}, "x")
    assert quality({level: full[level] for level in ("bronze", "silver")}, "x")
    pending = {**full, "gold": {**full["gold"], "howto": {"todo": "not written yet"}}}
    assert claim("gold", pending, "x") and claim("silver", pending, "x") == [] and claim("tin", full, "x")
