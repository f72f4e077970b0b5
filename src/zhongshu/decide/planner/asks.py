"""What people ask of the planner, one function a question; each answer is JSON values (docs/reference/planner.md)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from zhongshu.decide.planner.desk import Desk
from zhongshu.decide.planner.quote import quote
from zhongshu.decide.planner.refusal import Refusal
from zhongshu.decide.planner.release import release_version, undo
from zhongshu.decide.planner.scenario import discard, try_out
from zhongshu.decide.planner.why import why
from zhongshu.decide.planner.words import both
from zhongshu.kernel.store.signed import Refused

__all__ = ["Refusal", "answer"]


def answer(desk: Desk, payload: bytes) -> dict[str, Any]:
    """Blocking. Raises Refusal with words for people."""
    try:
        ask = json.loads(payload)
        what = ask["what"]
    except (ValueError, TypeError, KeyError) as error:
        raise Refusal("ask.malformed", why=str(error)) from error
    known: Mapping[str, Callable[[Desk, Mapping[str, Any]], dict[str, Any]]] = {
        "quote": quote,
        "why": why,
        "try": try_out,
        "release": release_version,
        "discard": discard,
        "undo": undo,
        "solve": _solve,
    }
    if what not in known:
        raise Refusal("ask.unknown", what=what)
    try:
        return known[what](desk, ask)
    except Refused as refused:
        raise Refusal("ask.refused", why=refused.both) from refused
    except Refusal:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise Refusal("ask.malformed", why=f"{type(error).__name__}: {error}") from error


def _solve(desk: Desk, ask: Mapping[str, Any]) -> dict[str, Any]:
    """Re-plan now; the new plan is announced when it is in force."""
    return {
        "replan": True,
        "by": str(ask.get("by", "")),
        "said": both("cause.asked", subject=ask.get("by", "")),
    }
