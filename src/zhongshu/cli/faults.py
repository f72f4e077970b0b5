"""`zhongshu twin fault`: lets something go wrong in the running twin, through its own control port."""

from __future__ import annotations

from pathlib import Path

from zhongshu.kernel.strings import strings_of
from zhongshu.twin.control import ask
from zhongshu.twin.faults import KINDS, FaultKind, kinds


def strike(data: Path, kind: str, words: list[str]) -> int:
    """Ask the twin for a fault and print its answer; `list` prints the kinds."""
    if kind == "list":
        for kind_ in kinds():
            print(
                f"{kind_['kind']:<10} {kind_['target'].upper():<11} {kind_['parameter']:<12} {kind_['text']['en']}"
            )
        return 0
    if kind not in KINDS:
        raise SystemExit(f"there is no fault {kind!r}; `zhongshu twin fault list` names them")
    target, value = _struck(KINDS[kind], words)
    answer = ask(data, {"op": "fault", "kind": kind, "target": target, "value": value})
    if not answer.get("ok"):
        # The devices of the twin speak the language they were set to; a terminal speaks English.
        said = strings_of("zhongshu.twin").text(answer["key"], "en", **answer.get("values", {}))
        raise SystemExit(f"{said}; `zhongshu twin fault list` tells what each fault strikes")
    print("done")
    return 0


def _struck(fault: FaultKind, words: list[str]) -> tuple[str, float | None]:
    """Target and number, as typed; raises SystemExit."""
    usage = f"zhongshu twin fault {fault.name} {fault.target.upper()}"
    if fault.parameter:
        usage += f" [{fault.parameter}, {fault.low:g} to {fault.high:g}; {fault.default:g} if left out]"
    if len(words) > (2 if fault.parameter else 1) or (not words and fault.name != "clear"):
        raise SystemExit(f"write it like: {usage}")
    if len(words) < 2:
        return (words[0] if words else ""), None
    try:
        value = float(words[1])
    except ValueError as error:
        raise SystemExit(f"{words[1]!r} is no number; write it like: {usage}") from error
    return words[0], value
