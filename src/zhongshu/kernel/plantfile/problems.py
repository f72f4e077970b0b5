"""What is wrong in a plant file: found by loading and checking it, told to whoever wrote the file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

#: A place in the file's tree: keys and list indexes from the top.
Loc = tuple[str | int, ...]
#: More problems than this help nobody; the rest is only counted.
MOST_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: ``line`` and ``column`` count from 1 (0: the file as a whole), ``path`` is dotted.

    ``severity`` is ``error`` (the file cannot be used) or ``warning`` (it can, but look).
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    remedy: str
    severity: str = "error"

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        path = f" {self.path}:" if self.path else ""
        remedy = f"\n    → {self.remedy}" if self.remedy else ""
        return f"{where}: {self.severity}:{path} {self.message}{remedy}"


class PlantFileError(Exception):
    """The plant file cannot be used; ``problems`` says why (at most MOST_PROBLEMS), ``more`` counts the rest."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        every = list(problems)
        self.problems = every[:MOST_PROBLEMS]
        self.more = len(every) - len(self.problems)
        super().__init__(self._text())

    def _text(self) -> str:
        lines = [str(problem) for problem in self.problems]
        if self.more:
            lines.append(f"… and {self.more} more problems.")
        return "\n".join(lines)


@dataclass(slots=True)
class Findings:
    """Collects problems by their place in the tree; ``marks`` knows the line and column of each place."""

    file: Path
    marks: dict[Loc, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    #: Names whose definition was itself broken: a reference to one of them is no second problem.
    forgiven: set[str] = field(default_factory=set)
    #: Places that were told to be unreadable already, before the grammar looked at them.
    told: set[Loc] = field(default_factory=set)
    #: Something was left out, so what seems to be missing may be there in the file.
    partial: bool = False
    #: Lists of which broken entries were left out: the original indexes of those that stayed.
    kept: dict[Loc, list[int]] = field(default_factory=dict)

    def error(self, loc: Loc, message: str, remedy: str = "") -> None:
        """The file cannot be used because of ``message`` at ``loc``."""
        self._add(loc, message, remedy, "error")

    def absent(self, loc: Loc, message: str, remedy: str = "") -> None:
        """An error because something is missing; not said where parts of the file had to be left out."""
        if not self.partial:
            self.error(loc, message, remedy)

    def warning(self, loc: Loc, message: str, remedy: str = "") -> None:
        """The file can be used, but somebody should look at ``loc``."""
        self._add(loc, message, remedy, "warning")

    def unknown(self, loc: Loc, what: str, name: str, known: Iterable[str], where: str = "") -> None:
        """``name`` should be one of ``known``; says nothing where its definition was found broken already."""
        self.partial = True
        if name in self.forgiven:
            return
        self.error(loc, f"There is no {what} “{name}”.", did_you_mean(name, known, where))

    def original(self, loc: Loc) -> Loc:
        """The place in the file as written of a place in the values without their broken entries."""
        place: Loc = ()
        for step in loc:
            kept = self.kept.get(place)
            place = (*place, kept[step] if kept is not None and isinstance(step, int) else step)
        return place

    def _add(self, loc: Loc, message: str, remedy: str, severity: str) -> None:
        loc = self.original(loc)
        line, column = self._place(loc)
        self.problems.append(Problem(str(self.file), line, column, dotted(loc), message, remedy, severity))

    def _place(self, loc: Loc) -> tuple[int, int]:
        """Line and column of the place, or of the nearest place around it (a missing key has none itself)."""
        for end in range(len(loc), 0, -1):
            if loc[:end] in self.marks:
                return self.marks[loc[:end]]
        return self.marks.get((), (0, 0))

    @property
    def errors(self) -> list[Problem]:
        """Only those that make the file unusable, in the order of the file."""
        return [p for p in self.ordered() if p.severity == "error"]

    def ordered(self) -> list[Problem]:
        """All problems, each once, in the order of the file; warnings only where there are no errors.

        A plant of which parts were left out warns of much that is not so.
        """
        found = sorted(dict.fromkeys(self.problems), key=lambda p: (p.line, p.column, p.path, p.message))
        errors = [p for p in found if p.severity == "error"]
        return errors or found


def dotted(loc: Loc) -> str:
    """``areas[2].lines[0].units[1].count``."""
    text = ""
    for step in loc:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def did_you_mean(name: str, known: Iterable[str], where: str = "") -> str:
    """A remedy: the nearest known name, or the names there are."""
    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean “{near[0]}”?"
    if not names:
        return f"Define it {where} first." if where else "Define it first."
    listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"Use one of: {listed}" + (f"; or define it {where}." if where else ".")
