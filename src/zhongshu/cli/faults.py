"""`zhongshu twin fault`: lets something go wrong in the running twin, through its own control port."""

from __future__ import annotations

from pathlib import Path

from zhongshu.twin.control import ask
from zhongshu.twin.faults import kinds


def strike(data: Path, kind: str, words: list[str]) -> int:
    """Ask the twin for a fault and print its answer; `list` prints the kinds."""
    if kind == "list":
        for kind_ in kinds():
            print(
                f"{kind_['kind']:<10} {kind_['target'].upper():<11} {kind_['parameter']:<12} {kind_['text']['en']}"
            )
        return 0
    target = words[0] if words else ""
    value = float(words[1]) if len(words) > 1 else None
    answer = ask(data, {"op": "fault", "kind": kind, "target": target, "value": value})
    print(answer.get("message") or "done")
    return 0 if answer.get("ok") else 1
