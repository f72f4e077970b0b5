"""One running control room of a small plant for a module of tests that needs one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ports import low_port
from tests.web.lab import MINIMAL, Lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Bus, historian, pretended brain and control room of the smallest plant."""
    lab = Lab(MINIMAL, tmp_path_factory.mktemp("lab"), low_port)
    try:
        lab.start(historian=True, still=False)
        yield lab
    finally:
        lab.close()
