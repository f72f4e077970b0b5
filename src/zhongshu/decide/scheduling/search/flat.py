"""The array's bare address, for the kernels behind those that Python calls: passed on in one word, read without a check of the sign."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

from zhongshu.decide.scheduling.search import blocks as at

_untyped: Any = numba


def _address(_context: Any, array: Any) -> Any:
    """From an array of int64 to a pointer to its first number; the array must outlive the call."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, arguments[0]).data

    return _untyped.types.CPointer(_untyped.types.int64)(array), generate


address: Callable[[Any], at.Flat] = _untyped.extending.intrinsic(_address)
