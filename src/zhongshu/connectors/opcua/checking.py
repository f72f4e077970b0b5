"""What ``zhongshu check`` and discovery find on an OPC UA server: identity, limits, points, and the tree of its nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asyncua import ua

from zhongshu.connectors.opcua import codec, trust
from zhongshu.connectors.opcua.config import Settings
from zhongshu.connectors.opcua.session import Refused, Session
from zhongshu.connectors.opcua.words import Words
from zhongshu.kernel.ports import Check
from zhongshu.model.plant import Point

_LOGIN = {
    ua.StatusCodes.BadUserAccessDenied,
    ua.StatusCodes.BadIdentityTokenRejected,
    ua.StatusCodes.BadIdentityTokenInvalid,
    ua.StatusCodes.BadSecurityChecksFailed,
    ua.StatusCodes.BadCertificateUntrusted,
}
#: One node more than any plant we know of; a server that goes on for ever is not followed.
MAX_NODES = 200_000


async def check(
    session: Session, name: str, settings: Settings, points: Sequence[Point], secrets: Path, words: Words,
    reason: Callable[[Exception], str],
) -> Check:  # fmt: skip
    """Open, look, close; never raises."""
    try:
        await session.start()
        present, missing = await _look(session, points)
    except Refused as error:
        return Check(False, error.reason, error.remedy)
    except Exception as error:  # noqa: BLE001 - whatever it is, a person wants it in words
        login = isinstance(error, ua.UaStatusCodeError) and error.code in _LOGIN
        own = secrets / trust.FOLDER / "own.der"
        remedy = words("check.login_remedy", file=own) if login else words("check.unreachable_remedy")
        return Check(False, reason(error), remedy)
    finally:
        await asyncio.shield(session.close())
    found: dict[str, Any] = {
        "server": dict(session.server), "limits": dict(session.limits.stated), "points": present,
        "missing": dict(missing[:50]), "namespaces": list(session.namespaces),
        "security": f"{settings.security}" + ("" if settings.security == "None" else f"/{settings.mode}"),
    }  # fmt: skip
    product = session.server.get("product") or name
    if missing:
        path, why = missing[0]
        message = words(
            "check.missing", name=product, missing=len(missing), total=len(points), example=f"{path} ({why})"
        )
        return Check(False, message, words("check.missing_remedy"), found)
    return Check(True, words("check.ok", name=product, found=present), "", found)


async def _look(session: Session, points: Sequence[Point]) -> tuple[int, list[tuple[str, str]]]:
    """How many points there are, and which are not (path, why). A point whose device is off is there all the same."""
    nodes: list[tuple[Point, ua.NodeId]] = []
    missing: list[tuple[str, str]] = []
    for point in points:
        try:
            nodes.append((point, codec.node_id(str(point.address.get("node", "")), session.namespaces)))
        except ValueError as error:
            missing.append((point.path, str(error)))
    classes = await session.read([node for _, node in nodes], ua.AttributeIds.NodeClass)
    present = 0
    for (point, _), found in zip(nodes, classes, strict=True):
        bad = found.StatusCode is not None and found.StatusCode.is_bad()
        if bad or found.Value is None or found.Value.Value != ua.NodeClass.Variable:
            missing.append(
                (point.path, str(found.StatusCode.name) if bad and found.StatusCode else "no variable")
            )
        else:
            present += 1
    return present, missing


@dataclass(frozen=True, slots=True)
class Found:
    """A node found by ``browse``: its address as the plant file writes it, name, whether it holds a value, its parent."""

    node: str
    name: str
    is_variable: bool
    parent: str


async def browse(session: Session, start: str = "i=85", *, most: int = MAX_NODES) -> list[Found]:
    """Objects and variables below ``start`` in breadth-first order, at most ``most`` of them; needs an open session."""
    uris = {n: uri for uri, n in session.namespaces.items()}
    layer = [codec.node_id(start, session.namespaces)]
    seen, found = set(layer), list[Found]()
    while layer and len(found) < most:
        below: list[ua.NodeId] = []
        for parent, references in await _children(session, layer):
            for reference in references:
                node = reference.NodeId
                if node in seen or node.NamespaceIndex == 0 or len(found) >= most:
                    continue  # the standard's own nodes are no devices
                seen.add(node)
                below.append(node)
                variable = reference.NodeClass == ua.NodeClass.Variable
                name = str(reference.DisplayName.Text or reference.BrowseName.Name)
                found.append(Found(_address(node, uris), name, variable, _address(parent, uris)))
        layer = below
    return found


async def _children(
    session: Session, nodes: list[ua.NodeId]
) -> list[tuple[ua.NodeId, list[ua.ReferenceDescription]]]:
    """Hierarchical children of many nodes, following continuation points."""
    collected: list[tuple[ua.NodeId, list[ua.ReferenceDescription]]] = []
    for at in range(0, len(nodes), session.limits.browse):
        part = nodes[at : at + session.limits.browse]
        request = ua.BrowseRequest()
        request.Parameters.NodesToBrowse = [
            ua.BrowseDescription(
                NodeId=node, BrowseDirection=ua.BrowseDirection.Forward, IncludeSubtypes=True,
                ReferenceTypeId=ua.NodeId(ua.ObjectIds.HierarchicalReferences), ResultMask=ua.BrowseResultMask.All,
                NodeClassMask=ua.NodeClass.Object | ua.NodeClass.Variable,
            )
            for node in part
        ]  # fmt: skip
        for node, result in zip(part, (await session.ask(request, ua.BrowseResponse)).Results, strict=True):
            references = list(result.References or ())
            while result.ContinuationPoint:
                more = ua.BrowseNextRequest()
                more.Parameters.ContinuationPoints = [result.ContinuationPoint]
                result = (await session.ask(more, ua.BrowseNextResponse)).Parameters.Results[0]
                references += result.References or ()
            collected.append((node, references))
    return collected


def _address(node: ua.NodeId, uris: dict[int, str]) -> str:
    text = str(ua.NodeId(node.Identifier, 0, node.NodeIdType).to_string())
    if node.NamespaceIndex == 0:
        return text
    uri = uris.get(node.NamespaceIndex)
    return f"nsu={uri};{text}" if uri else f"ns={node.NamespaceIndex};{text}"
