"""Policies that users write: a local Python file → its policy classes; what is wrong with it is told with file and line."""

from __future__ import annotations

import importlib.util
import traceback
from pathlib import Path

from zhongshu.decide.policies.policy import Policy, PolicyError


def load_file(path: Path) -> dict[str, type[Policy]]:
    """By name, in the file's order. The file is run as it is: it has the rights of the brain. Raises PolicyError."""
    if not path.is_file():
        raise PolicyError(f"{path}: there is no such file; a policy's file is a local path")
    spec = importlib.util.spec_from_file_location(f"zhongshu_own_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise PolicyError(f"{path}: this is no Python file; name it ….py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise PolicyError(f"{path}:{_line(error, path)}: {type(error).__name__}: {error}") from error
    found = [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Policy) and kind.__module__ == module.__name__
    ]
    if not found:
        raise PolicyError(
            f"{path}: no policy in it; write a class that inherits zhongshu.decide.policies.Policy"
        )
    for kind in found:
        if not isinstance(getattr(kind, "name", None), str) or kind.advise is Policy.advise:
            raise PolicyError(
                f'{path}: class {kind.__name__} needs a name = "…" and a method advise(self, facts)'
            )
    return {kind.name: kind for kind in found}


def _line(error: Exception, path: Path) -> int:
    """Where in the file it went wrong, 0 where nobody knows."""
    if isinstance(error, SyntaxError):
        return error.lineno or 0
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return (frames[-1].lineno or 0) if frames else 0
