"""Text of a plant file → plain values plus the line and column of every one of them, for messages that name lines."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from zhongshu.kernel.plantfile.problems import Findings, Loc

#: A hand-written plant file is far below these; what is above is a mistake or an attack (aliases that multiply).
MOST_BYTES = 8_000_000
MOST_VALUES = 200_000
DEEPEST = 40

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SCALARS = ("str", "int", "float", "bool", "null", "timestamp")


@dataclass(slots=True)
class Source:
    """The values of a file, and what was wrong with its text. ``values`` is None where nothing could be read."""

    findings: Findings
    values: dict[str, Any] | None = None
    count: int = 0
    endless: bool = False
    open_nodes: set[int] = field(default_factory=set)


def read_source(path: Path) -> Source:
    """Read and parse ``path``; never raises for what is wrong with the file, says it in ``findings``."""
    source = Source(Findings(path))
    text = _text(path, source.findings)
    if text is not None:
        _parse(text, source)
    return source


def _text(path: Path, findings: Findings) -> str | None:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        findings.error(
            (), "There is no such file.", "Check the path, or copy plants/minimal/plant.yaml to begin with."
        )
    except IsADirectoryError:
        findings.error((), "This is a directory.", "Name the file in it, usually plant.yaml.")
    except OSError as error:
        findings.error((), f"The file cannot be read: {error.strerror}.", "Check who may read it.")
    else:
        if len(raw) > MOST_BYTES:
            remedy = "Use templates (count) for like machines."
            findings.error((), f"The file is {len(raw) // 1_000_000} MB long; at most 8 MB are read.", remedy)
            return None
        return _decoded(raw, findings)
    return None


def _decoded(raw: bytes, findings: Findings) -> str | None:
    encoding = next((name for bom, name in _BOMS if raw.startswith(bom)), "utf-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        findings.marks[()] = (line, error.start - raw.rfind(b"\n", 0, error.start))
        hint = " It looks like GBK." if _is_gbk(raw) else ""
        findings.error((), f"The text is not {encoding.upper()} here.{hint}", "Save the file as UTF-8.")
        return None
    control = _CONTROL.search(text)
    if control is not None:
        before = text[: control.start()]
        findings.marks[()] = (before.count("\n") + 1, control.start() - before.rfind("\n"))
        findings.error((), f"A control character (0x{ord(control[0]):02x}) stands here.", "Delete it.")
        return None
    return text


def _is_gbk(raw: bytes) -> bool:
    try:
        raw.decode("gbk")
    except UnicodeDecodeError:
        return False
    return True


def _parse(text: str, source: Source) -> None:
    findings = source.findings
    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = True  # we find them ourselves, all of them and with both lines
    try:
        documents = list(_documents(yaml, text))
    except MarkedYAMLError as error:
        _syntax(error, text, findings)
        return
    except (YAMLError, ValueError, RecursionError) as error:
        findings.marks[()] = (1, 1)
        findings.error(
            (), f"This is no YAML: {str(error).splitlines()[0]}", "Compare with plants/minimal/plant.yaml."
        )
        return
    findings.marks[()] = (1, 1)
    if not documents or _is_null(documents[0]):
        findings.error((), "The file is empty.", "Copy plants/minimal/plant.yaml to begin with.")
        return
    if len(documents) > 1:
        findings.marks[()] = _mark(documents[1])
        findings.error(
            (), "A second document begins here (---).", "One plant is one document: delete the “---” line."
        )
        return
    top = documents[0]
    if not isinstance(top, MappingNode):
        findings.marks[()] = _mark(top)
        findings.error(
            (), "The file must be a mapping (key: value) at the top.", "Begin with “plant: my-plant”."
        )
        return
    findings.marks[()] = _mark(top)
    values = _mapping(top, (), source)
    source.values = None if source.endless else values


def _documents(yaml: YAML, text: str) -> Iterator[Node]:
    constructor, parser = yaml.get_constructor_parser(text)
    try:
        while constructor.composer.check_node():
            yield constructor.composer.get_node()
    finally:
        parser.dispose()


def _syntax(error: MarkedYAMLError, text: str, findings: Findings) -> None:
    """A syntax error in plain words; YAML's own words are kept where there is nothing plainer."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    lines = text.splitlines() or [""]
    words = error.problem or error.context or "something is wrong"
    message, remedy = (
        f"This is no YAML: {words}.",
        "Check indentation, quotes and brackets on this line and the one above.",
    )
    tab = next((i for i in (line, line - 1) if 0 <= i < len(lines) and "\t" in _indent(lines[i])), None)
    if tab is not None:
        line, column = tab, lines[tab].index("\t")
        message, remedy = "The line is indented with a tab.", "Indent with spaces; YAML allows no tabs there."
    elif "undefined alias" in words:
        remedy = "Write the anchor (&name) above the place that uses it (*name)."
    elif "mapping values are not allowed" in words:
        remedy = "Put text that contains “: ” in quotes, or check the indentation."
    elif "expected ',' or" in words:
        remedy = "A bracket { or [ is not closed, or a comma is missing."
    elif "end of stream" in words or "unexpected end" in words:
        remedy = "A quote or bracket was opened and never closed."
    findings.marks[()] = (line + 1, column + 1)
    findings.error((), message, remedy)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _value(node: Node, loc: Loc, source: Source) -> Any:
    source.count += 1
    if source.count > MOST_VALUES or len(loc) > DEEPEST or id(node) in source.open_nodes:
        if not source.endless:
            source.findings.error(
                loc, "The aliases (*name) or brackets here never end or grow too large.", "Write it out."
            )
        source.endless = True
    if source.endless:
        return None
    if isinstance(node, ScalarNode):
        return _scalar(node, loc, source)
    source.open_nodes.add(id(node))
    try:
        if isinstance(node, MappingNode):
            return _mapping(node, loc, source)
        return [_marked(child, (*loc, i), source) for i, child in enumerate(node.value)]
    finally:
        source.open_nodes.discard(id(node))


def _marked(node: Node, loc: Loc, source: Source) -> Any:
    source.findings.marks[loc] = _mark(node)
    return _value(node, loc, source)


def _mapping(node: MappingNode, loc: Loc, source: Source) -> dict[str, Any]:
    values: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if str(key_node.tag).endswith(":merge"):
            for inner in value_node.value if isinstance(value_node, SequenceNode) else [value_node]:
                if isinstance(inner, MappingNode):
                    merged = {**_value(inner, loc, source), **merged}
            continue
        key = str(key_node.value) if isinstance(key_node, ScalarNode) else "?"
        place = (*loc, key)
        if key in values:
            first = source.findings.marks[place][0]
            source.findings.marks[place] = _mark(key_node)
            source.findings.error(
                place, f"“{key}” stands here twice (first on line {first}).", "Keep one of the two."
            )
        source.findings.marks[place] = _mark(key_node)
        values[key] = _value(value_node, place, source)
    return {**merged, **values}


def _scalar(node: ScalarNode, loc: Loc, source: Source) -> Any:
    tag = str(node.tag)
    kind = tag.rpartition(":")[2]
    if kind not in _SCALARS or not tag.startswith("tag:yaml.org,2002:"):
        source.findings.error(loc, f"The tag {tag} means nothing here.", "Delete the tag.")
        source.findings.told.add(loc)
        return None
    if kind in ("str", "timestamp"):
        return str(node.value)
    if kind == "null":
        return None
    try:
        return _BUILD[kind](str(node.value).replace("_", "").lower())
    except (ValueError, KeyError, OverflowError):
        source.findings.error(loc, f"“{node.value}” is no {kind}.", "Correct it, or put text in quotes.")
        source.findings.told.add(loc)
        return None


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    base = {"0x": 16, "0o": 8, "0b": 2}.get(digits[:2])
    return int(text, base) if base else int(text)


def _number(text: str) -> float:
    return float(text.replace(".inf", "inf").replace(".nan", "nan"))


def _truth(text: str) -> bool:
    return {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}[text]


_BUILD: dict[str, Callable[[str], Any]] = {"int": _integer, "float": _number, "bool": _truth}


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and str(node.tag).endswith(":null")


def _mark(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
