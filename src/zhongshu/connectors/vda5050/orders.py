"""A TransportOrder ⇄ the nodes, edges and actions of a VDA 5050 order; the plant's key is the order id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zhongshu.connectors.vda5050.codec import Malformed
from zhongshu.connectors.vda5050.config import Settings
from zhongshu.connectors.vda5050.messages import Action, Order
from zhongshu.model.orders import TransportOrder
from zhongshu.model.plant import RoadMap

PICK, DROP = "pick", "drop"
LOAD_ID, STATION = "loadId", "stationName"
#: Parameter of cancelOrder: which order is meant. Not of the standard's 2.x, whose vehicles may pass it over.
ORDER_ID = "orderId"
KEY_MAX = 2**31 - 1


class Roads:
    """The road map, and the names that the vehicles use, as order messages need them."""

    def __init__(self, roads: RoadMap, settings: Settings) -> None:
        self._node = {node.id: node for node in roads.nodes}
        self._edge = {(edge.start, edge.end): edge for edge in roads.edges}
        self._map_id = settings.map_id
        self._parameters = [
            {"key": "stationType", "value": settings.station_type},
            {"key": "loadType", "value": settings.load_type},
        ]

    def action(self, order: TransportOrder, kind: str, unit: str) -> dict[str, Any]:
        """Pick or drop of the order's lot at a machine."""
        own = [{"key": LOAD_ID, "value": str(order.lot)}, {"key": STATION, "value": unit}]
        return {
            "actionType": kind,
            "actionId": f"{order.key}-{kind}",
            "blockingType": "HARD",
            "actionParameters": own + self._parameters,
        }

    def position(self, node: str) -> dict[str, Any]:
        """``nodePosition`` of a node of the map; nothing for one that is not on it."""
        known = self._node.get(node)
        if known is None:
            return {}
        return {"nodePosition": {"x": known.x_m, "y": known.y_m, "mapId": self._map_id}}

    def edge(self, start: str, end: str) -> dict[str, Any]:
        """Id and speed limit of the lane between two nodes."""
        known = self._edge.get((start, end))
        if known is None:
            return {"edgeId": f"{start}-{end}"}
        limit = {"maxSpeed": known.speed_m_s} if known.speed_m_s > 0 else {}
        return {"edgeId": known.id, **limit, "length": known.length_m}


def order_message(header: Mapping[str, Any], order: TransportOrder, roads: Roads) -> dict[str, Any]:
    """The order message: nodes with even, edges with odd sequence numbers, the base released and the horizon not, pick and
    drop at their nodes. An update begins with the node to which it is stitched.

    Raises ValueError for a route without nodes, or with pick and drop or its base outside of it.
    """
    if not order.route:
        raise ValueError("route is empty")
    if order.lot and not 0 <= order.pick_at <= order.drop_at < len(order.route):
        raise ValueError(
            f"pick_at {order.pick_at} and drop_at {order.drop_at} do not fit a route of {len(order.route)}"
        )
    if not order.stitch < order.base <= len(order.route):
        raise ValueError(
            f"released {order.base} from {order.stitch} does not fit a route of {len(order.route)}"
        )
    nodes = [
        {
            "nodeId": node,
            "sequenceId": 2 * i,
            "released": i < order.base,
            **roads.position(node),
            "actions": _actions(order, i, roads),
        }
        for i, node in enumerate(order.route)
    ]
    edges = [
        {
            "sequenceId": 2 * i + 1,
            "released": i + 1 < order.base,
            "startNodeId": start,
            "endNodeId": end,
            **roads.edge(start, end),
            "actions": [],
        }
        for i, (start, end) in enumerate(zip(order.route, order.route[1:], strict=False))
    ]
    about = {"orderId": str(order.key), "orderUpdateId": order.update}
    return {**header, **about, "nodes": nodes[order.stitch :], "edges": edges[order.stitch :]}


def stitched(base: Order, update: Order) -> Order:
    """The whole order after an update: what was released, then what the update says. Raises Malformed where the two do not
    join at the last node that was released."""
    released = [node for node in base.nodes if node.released]
    if not update.nodes:
        raise Malformed("nodes: an update needs at least one")
    last, first = released[-1], update.nodes[0]
    if (first.node_id, first.sequence_id) != (last.node_id, last.sequence_id):
        raise Malformed(
            f"nodes.0: {first.node_id} #{first.sequence_id} is not the last released node, "
            f"{last.node_id} #{last.sequence_id}"
        )
    # The standard repeats the node with all its actions; there are masters that send only the new ones.
    again = {action.action_id for action in first.actions}
    kept = tuple(action for action in last.actions if action.action_id not in again)
    joint = first.model_copy(update={"actions": (*kept, *first.actions)})
    nodes = (*released[:-1], joint, *update.nodes[1:])
    edges = (*base.edges[: len(released) - 1], *update.edges)
    return update.model_copy(update={"nodes": nodes, "edges": edges})


def transport_order(order: Order, vehicle: str) -> TransportOrder:
    """The order again, updates stitched to it. Raises Malformed for what a vehicle of ours cannot drive, in the order the standard asks for."""
    key = int(order.order_id) if order.order_id.isascii() and order.order_id.isdigit() else 0
    if not 0 < key <= KEY_MAX:
        raise Malformed(f"orderId {order.order_id!r} is no positive number below 2**31")
    _check_shape(order)
    lot, pick_at, drop_at, pick_unit, drop_unit = 0, 0, len(order.nodes) - 1, "", ""
    for i, node in enumerate(order.nodes):
        for action in node.actions:
            if action.action_type == PICK:
                lot, pick_at, pick_unit = _lot(action), i, str(action.parameter(STATION) or "")
            elif action.action_type == DROP:
                drop_at, drop_unit = i, str(action.parameter(STATION) or "")
            else:
                raise Malformed(f"nodes.{i}: action {action.action_type!r} is not supported")
    return TransportOrder(
        key=key,
        vehicle=vehicle,
        lot=lot,
        route=tuple(node.node_id for node in order.nodes),
        pick_at=pick_at,
        drop_at=drop_at,
        pick_unit=pick_unit,
        drop_unit=drop_unit,
        released=0 if order.nodes[-1].released else sum(node.released for node in order.nodes),
        update=order.order_update_id,
    )


def _check_shape(order: Order) -> None:
    if not order.nodes:
        raise Malformed("nodes: an order needs at least one")
    if len(order.edges) != len(order.nodes) - 1:
        raise Malformed(f"edges: {len(order.edges)} between {len(order.nodes)} nodes")
    base = [node.released for node in order.nodes]
    if not base[0] or sorted(base, reverse=True) != base or [e.released for e in order.edges] != base[1:]:
        raise Malformed(
            "released: the base comes first, then the horizon, and edges go with the nodes they lead to"
        )
    first = order.nodes[0].sequence_id
    for i, node in enumerate(order.nodes):
        if node.sequence_id != first + 2 * i:
            raise Malformed(f"nodes.{i}: sequenceId {node.sequence_id} out of sequence")
    for i, edge in enumerate(order.edges):
        ends = (order.nodes[i].node_id, order.nodes[i + 1].node_id)
        if edge.sequence_id != first + 2 * i + 1 or (edge.start_node_id, edge.end_node_id) != ends:
            raise Malformed(f"edges.{i}: does not join nodes {i} and {i + 1}")


def _actions(order: TransportOrder, at: int, roads: Roads) -> list[dict[str, Any]]:
    if not order.lot:
        return []
    wanted = [(PICK, order.pick_at, order.pick_unit), (DROP, order.drop_at, order.drop_unit)]
    return [roads.action(order, kind, unit) for kind, index, unit in wanted if index == at]


def _lot(action: Action) -> int:
    value = action.parameter(LOAD_ID)
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise Malformed(f"action {action.action_id}: {LOAD_ID} {value!r} is no lot number") from error
