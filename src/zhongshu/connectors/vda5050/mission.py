"""The order a vehicle of ours is on: what of it is still ahead, from what the twin publishes of the vehicle."""

from __future__ import annotations

from typing import Any

from zhongshu.connectors.vda5050.messages import Action, Order
from zhongshu.connectors.vda5050.orders import DROP, PICK
from zhongshu.model.orders import TransportOrder
from zhongshu.model.states import TransportState


class Mission:
    """An accepted order; ``follow`` is told the vehicle's last node, load and order state after each scan."""

    def __init__(self, order: Order, transport: TransportOrder) -> None:
        self.order_id = order.order_id
        self.update_id = order.order_update_id
        self.key = transport.key
        self._lot = transport.lot
        self.order = order
        self._at = 0
        self._is_over = False
        self._actions = [action for node in order.nodes for action in node.actions]
        self._status = {action.action_id: "WAITING" for action in self._actions}

    def extend(self, order: Order) -> None:
        """The order as it is after an update; what is done stays done."""
        self.order, self.update_id = order, order.order_update_id
        self._actions = [action for node in order.nodes for action in node.actions]
        self._status = {a.action_id: self._status.get(a.action_id, "WAITING") for a in self._actions}

    @property
    def last_sequence(self) -> int:
        """Sequence number of the node passed last."""
        return self.order.nodes[self._at].sequence_id

    def follow(self, node: str, load: int, state: TransportState) -> None:
        """Move on: nodes are passed in order, the lot picked once it is on board, dropped once it is not any more."""
        nodes = self.order.nodes
        ahead = (i for i in range(self._at, len(nodes)) if nodes[i].node_id == node and nodes[i].released)
        self._at = next(ahead, self._at)
        for action in self._actions:
            is_picked = action.action_type == PICK and load == self._lot
            is_dropped = action.action_type == DROP and load != self._lot and self._is_picked()
            if is_picked or is_dropped:
                self._status[action.action_id] = "FINISHED"
        if state is TransportState.DONE:
            self._end("FINISHED")
        elif state is TransportState.FAILED:
            self._end("FAILED")

    def fields(self) -> dict[str, Any]:
        """orderId and everything that a state says of it."""
        nodes = () if self._is_over else self.order.nodes[self._at + 1 :]
        edges = () if self._is_over else self.order.edges[self._at :]
        return {
            "orderId": self.order_id,
            "orderUpdateId": self.update_id,
            "lastNodeSequenceId": self.last_sequence,
            "nodeStates": [_part(n.sequence_id, n.released, nodeId=n.node_id) for n in nodes],
            "edgeStates": [_part(e.sequence_id, e.released, edgeId=e.edge_id) for e in edges],
            "actionStates": [self._action_state(action) for action in self._actions],
        }

    def _is_picked(self) -> bool:
        return any(a.action_type == PICK and self._status[a.action_id] == "FINISHED" for a in self._actions)

    def _end(self, status: str) -> None:
        self._is_over = True
        for action, now in self._status.items():
            if now != "FINISHED":
                self._status[action] = status

    def _action_state(self, action: Action) -> dict[str, Any]:
        return {
            "actionId": action.action_id,
            "actionType": action.action_type,
            "actionStatus": self._status[action.action_id],
        }


def _part(sequence: int, released: bool, **name: str) -> dict[str, Any]:
    return {**name, "sequenceId": sequence, "released": released}
