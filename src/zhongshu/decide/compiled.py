"""What turns a plain function into machine code: every kernel of the engines is made here, and kept on disk once compiled."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def kernel(function: Kernel) -> Kernel:
    """Compile at the first call; later processes load it from the cache.

    A kernel lets other threads run (workers are threads) and allocates nothing, so no references are counted: that
    counting took most of the time.
    """
    untyped: Any = numba
    untyped.config.CACHE_DIR = _cache_folder(Path(function.__code__.co_filename).parent)
    compiled: Kernel = untyped.njit(cache=True, error_model="numpy", nogil=True, _nrt=False)(function)
    return compiled


@cache
def _cache_folder(package: Path) -> str:
    """One folder per state of a package's sources: a kernel that calls a changed one must not come from the cache."""
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted({*package.glob("*.py"), *Path(__file__).parent.glob("*.py")}):
        digest.update(source.read_bytes())
    name = f"{package.name}-{digest.hexdigest()[:16]}"
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zhongshu" / "kernels"
    try:
        home.mkdir(parents=True, exist_ok=True)
        writable = os.access(home, os.W_OK)
    except OSError:
        writable = False
    return str((home if writable else Path(tempfile.gettempdir()) / f"zhongshu-{os.getuid()}") / name)
