"""Point ids stay with their paths through any sequence of edits and restarts."""

from __future__ import annotations

from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.plants import plant_of
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.store import Store

PATHS = st.lists(st.sampled_from([f"s/a/l/u/p{i}" for i in range(12)]), unique=True, max_size=8)


def ids_of(paths: list[str], store: Store, plant: str = "p") -> dict[str, int]:
    return {point.path: point.id for point in assign_ids(plant_of(paths, plant), store).points}


@settings(max_examples=25, deadline=None)
@given(st.lists(PATHS, min_size=1, max_size=5))
def test_ids_are_dense_and_kept(versions: list[list[str]]) -> None:
    with TemporaryDirectory() as folder:
        known: dict[str, int] = {}
        for paths in versions:
            store = Store(f"sqlite:///{folder}/store.db")
            store.migrate()
            ids = ids_of(paths, store)
            store.close()
            assert list(ids) == paths
            assert {path: ids[path] for path in paths if path in known} == {
                p: known[p] for p in paths if p in known
            }
            known |= ids
            assert sorted(known.values()) == list(range(len(known)))


def test_removed_paths_keep_their_ids_reserved_and_plants_do_not_share(store: Store) -> None:
    assert ids_of(["a", "b", "c"], store) == {"a": 0, "b": 1, "c": 2}
    assert ids_of(["c", "d"], store) == {"c": 2, "d": 3}
    assert ids_of(["b", "d", "renamed"], store) == {"b": 1, "d": 3, "renamed": 4}
    assert ids_of(["b", "x"], store, "q") == {"b": 0, "x": 1}


def test_two_points_of_one_path_are_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="two points have the path b"):
        assign_ids(plant_of(["a", "b", "b"]), store)
    assert ids_of(["a"], store) == {"a": 0}
