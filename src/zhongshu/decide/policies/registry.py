"""Policies by name: the built-in ones, those a plant switches on, and those of a user's own file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from zhongshu.decide.policies.maintenance import Maintenance
from zhongshu.decide.policies.own_file import load_file
from zhongshu.decide.policies.peak import Peak
from zhongshu.decide.policies.policy import Policy, PolicyError
from zhongshu.decide.policies.preheat import Preheat
from zhongshu.decide.policies.rework import Rework
from zhongshu.decide.policies.standby import Standby
from zhongshu.model.plant import Plant

#: Built in. Where two ask for the same, the one that comes first is heard.
ALL: Mapping[str, type[Policy]] = {p.name: p for p in (Peak, Preheat, Maintenance, Standby, Rework)}


def switched_on(plant: Plant, without: Collection[str] = (), files: Iterable[Path] = ()) -> list[Policy]:
    """The plant's policies and all of ``files``, but for those named in ``without``. Raises PolicyError."""
    kinds: dict[str, type[Policy]] = {}
    for name, said in plant.policies.items():
        kinds[name] = _own(name, Path(str(said["file"]))) if "file" in said else _built_in(name)
    for path in files:
        kinds |= load_file(path)
    for name in without:
        if name not in kinds and name not in ALL:
            raise PolicyError(f"there is no policy {name!r} to do without; {_near(name, {*ALL, *kinds})}")
    order = {name: place for place, name in enumerate(dict.fromkeys([*ALL, *kinds]))}
    return [
        kinds[name](plant.policies.get(name))
        for name in sorted(kinds, key=lambda n: order[n])
        if name not in without
    ]


def _built_in(name: str) -> type[Policy]:
    if name not in ALL:
        raise PolicyError(
            f"policies.{name}: there is no such policy; {_near(name, ALL)} One of your own needs its “file”."
        )
    return ALL[name]


def _own(name: str, path: Path) -> type[Policy]:
    found = load_file(path)
    if name not in found:
        raise PolicyError(f"policies.{name}: {path} has no policy of that name, but: {', '.join(found)}")
    return found[name]


def _near(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(known))}."
