"""Builds the address space of our OPC UA server: the standard's own nodes once a process, then the plant's units in bulk."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from asyncua import ua
from asyncua.server.address_space import AddressSpace, AttributeValue, NodeData, NodeManagementService
from asyncua.server.standard_address_space import standard_address_space

from zhongshu.connectors.opcua import codec
from zhongshu.connectors.opcua.commands import METHODS
from zhongshu.connectors.opcua.lane import Variable
from zhongshu.model.commands import Verb
from zhongshu.model.plant import Unit

_standard: dict[ua.NodeId, NodeData] = {}

_ORGANIZES = ua.NodeId(ua.ObjectIds.Organizes)
_COMPONENT = ua.NodeId(ua.ObjectIds.HasComponent)
_PROPERTY = ua.NodeId(ua.ObjectIds.HasProperty)
_FOLDER_TYPE = ua.NodeId(ua.ObjectIds.FolderType)
_OBJECT_TYPE = ua.NodeId(ua.ObjectIds.BaseObjectType)
_VARIABLE_TYPE = ua.NodeId(ua.ObjectIds.BaseDataVariableType)
_PROPERTY_TYPE = ua.NodeId(ua.ObjectIds.PropertyType)
_READ = 1 << ua.AccessLevel.CurrentRead
_WRITE = 1 << ua.AccessLevel.CurrentWrite
_NO_TYPE = ua.NodeId()

Method = Callable[..., Any]


class StandardNodes(dict[ua.NodeId, NodeData]):
    """The standard's 6,000 nodes and a server's own: one of the standard is copied when this server first touches it.

    The first in a process costs half a second, every other one nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        if not _standard:
            _fill()

    def __missing__(self, node: ua.NodeId) -> NodeData:
        record = _standard[node]
        made = NodeData(
            record.nodeid
        )  # values and references are only ever replaced, their containers are not
        made.references = list(record.references)
        made.attributes = {
            name: AttributeValue(held.value) for name, held in record.attributes.items() if held.value
        }
        self[node] = made
        return made

    def __contains__(self, node: object) -> bool:
        return super().__contains__(node) or node in _standard

    def get(self, node: ua.NodeId, default: Any = None) -> Any:
        """A node of this server or of the standard."""
        try:
            return self[node]
        except KeyError:
            return default


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage collection meanwhile: of many small objects that all stay it costs more than making them."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _fill() -> None:
    space = AddressSpace()
    with uncollected():
        standard_address_space.fill_address_space(NodeManagementService(space))
    _standard.update({node: space[node] for node in space.keys()})  # noqa: SIM118 - AddressSpace is no mapping


def namespace_uris(units: Sequence[Unit]) -> list[str]:
    """URIs of the ``nsu=`` addresses of these units, in order of appearance."""
    texts = (str(a.get("node", "")) for u in units for a in (u.address, *(p.address for p in u.points)))
    return list(dict.fromkeys(uri for text in texts if (uri := codec.namespace_uri(text))))


def add_units(
    space: AddressSpace, service: NodeManagementService, units: Sequence[Unit], variables: Sequence[Variable],
    namespaces: Mapping[str, int], method: Callable[[Unit, Verb], Method],
) -> None:  # fmt: skip
    """A folder for each line, an object for each unit with its variables and methods; ``variables`` in unit order.

    asyncua compares a new node with all children of its parent, so one object a unit keeps that short.
    """
    items: list[ua.AddNodesItem] = []
    calls: dict[ua.NodeId, Method] = {}
    folders: set[ua.NodeId] = set()
    rest = iter(variables)
    for unit in units:
        text = str(unit.address.get("node", ""))
        node = codec.node_id(text, namespaces)
        folder = ua.NodeId(unit.path.rpartition("/")[0] or "units", node.NamespaceIndex)
        if folder not in folders:
            folders.add(folder)
            name = str(folder.Identifier).rpartition("/")[2]
            items.append(
                _item(
                    folder,
                    ua.NodeId(ua.ObjectIds.ObjectsFolder),
                    _ORGANIZES,
                    name,
                    _object(name),
                    _FOLDER_TYPE,
                )
            )
        items.append(_item(node, folder, _ORGANIZES, unit.id, _object(unit.name.en or unit.id), _OBJECT_TYPE))
        for variable in (next(rest) for _ in unit.points):
            items.append(
                _item(
                    variable.node, node, _COMPONENT, variable.point.name, _variable(variable), _VARIABLE_TYPE
                )
            )
        for verb, (name, signature) in METHODS.items():
            at = codec.node_id(f"{text}.{name}", namespaces)
            items.append(_item(at, node, _COMPONENT, name, _method(name), _NO_TYPE))
            items += _arguments(at, signature)
            calls[at] = method(unit, verb)
    with uncollected():
        results = service.add_nodes(items)
    for item, result in zip(items, results, strict=True):
        if not result.StatusCode.is_good():
            raise ValueError(
                f"node {item.RequestedNewNodeId.to_string()} cannot be added: {result.StatusCode.name}"
            )
    for at, call in calls.items():
        space[at].call = call
    for variable in variables:
        held = space[variable.node].attributes[ua.AttributeIds.Value]
        held.value, held.value_callback = None, variable.read


def _item(
    node: ua.NodeId, parent: ua.NodeId, reference: ua.NodeId, name: str, attributes: Any, kind: ua.NodeId
) -> ua.AddNodesItem:
    classes = {
        ua.ObjectAttributes: ua.NodeClass.Object,
        ua.VariableAttributes: ua.NodeClass.Variable,
        ua.MethodAttributes: ua.NodeClass.Method,
    }
    item = ua.AddNodesItem()
    item.RequestedNewNodeId, item.ParentNodeId, item.ReferenceTypeId = node, parent, reference
    item.BrowseName = ua.QualifiedName(name, node.NamespaceIndex)
    item.NodeClass, item.NodeAttributes, item.TypeDefinition = classes[type(attributes)], attributes, kind
    return item


def _object(name: str) -> ua.ObjectAttributes:
    made = ua.ObjectAttributes()
    made.DisplayName, made.EventNotifier = ua.LocalizedText(name), 0
    return made


def _variable(variable: Variable) -> ua.VariableAttributes:
    point = variable.point
    made = ua.VariableAttributes()
    made.DisplayName = ua.LocalizedText(point.label.en or point.name)
    made.Description = ua.LocalizedText(point.uom)
    made.DataType, made.ValueRank = ua.NodeId(variable.kind.value), ua.ValueRank.Scalar
    made.AccessLevel = made.UserAccessLevel = _READ | (_WRITE if point.writable else 0)
    made.MinimumSamplingInterval, made.Historizing = 0.0, False
    made.Value = ua.Variant(None, ua.VariantType.Null)
    return made


def _method(name: str) -> ua.MethodAttributes:
    made = ua.MethodAttributes()
    made.DisplayName, made.Executable, made.UserExecutable = ua.LocalizedText(name), True, True
    return made


def _arguments(method: ua.NodeId, signature: Sequence[tuple[str, ua.VariantType]]) -> list[ua.AddNodesItem]:
    """The properties that tell a client what the method wants and gives."""
    made = []
    for name, given in (
        ("InputArguments", signature),
        ("OutputArguments", (("result", ua.VariantType.Int32),)),
    ):
        arguments = [ua.Argument(Name=n, DataType=ua.NodeId(k.value), ValueRank=-1) for n, k in given]
        attributes = ua.VariableAttributes()
        attributes.DisplayName, attributes.Description = ua.LocalizedText(name), ua.LocalizedText("")
        attributes.DataType, attributes.ValueRank = (
            ua.NodeId(ua.ObjectIds.Argument),
            ua.ValueRank.OneDimension,
        )
        attributes.ArrayDimensions = [len(arguments)]
        attributes.AccessLevel = attributes.UserAccessLevel = _READ
        attributes.MinimumSamplingInterval, attributes.Historizing = 0.0, False
        attributes.Value = ua.Variant(arguments, ua.VariantType.ExtensionObject)
        node = ua.NodeId(f"{method.Identifier}.{name}", method.NamespaceIndex)
        item = _item(node, method, _PROPERTY, name, attributes, _PROPERTY_TYPE)
        item.BrowseName = ua.QualifiedName(name, 0)
        made.append(item)
    return made
