"""The JSON messages of VDA 5050 2.x as frozen values: strict about types, patient with what a vehicle leaves out."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class _Wire(BaseModel):
    """camelCase on the wire; fields that we do not know are ignored, as newer versions of the standard add some."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True, strict=True
    )


class Header(_Wire):
    """What every message begins with; ``header_id`` counts the messages of one sender on one topic."""

    header_id: int
    timestamp: str
    version: str
    manufacturer: str
    serial_number: str


class Reference(_Wire):
    """A key and a value that say what an error or an information is about."""

    reference_key: str
    reference_value: str


class VehicleError(_Wire):
    """An active error of a vehicle; WARNING leaves it able to drive, FATAL does not."""

    error_type: str
    error_level: str = "WARNING"
    error_references: tuple[Reference, ...] | None = None
    error_description: str | None = None


class Information(_Wire):
    """A message of a vehicle that the master does not have to understand."""

    info_type: str
    info_level: str = "INFO"
    info_references: tuple[Reference, ...] | None = None
    info_description: str | None = None


class Position(_Wire):
    """Where the vehicle is: m and rad on a map."""

    x: float
    y: float
    theta: float = 0.0
    map_id: str = ""
    position_initialized: bool = True


class Velocity(_Wire):
    """In the vehicle's own frame, m/s and rad/s."""

    vx: float | None = None
    vy: float | None = None
    omega: float | None = None


class Load(_Wire):
    """Something on board."""

    load_id: str | None = None


class Battery(_Wire):
    """Charge in percent."""

    battery_charge: float
    charging: bool = False


class Safety(_Wire):
    """``e_stop`` is AUTOACK, MANUAL, REMOTE or NONE."""

    e_stop: str
    field_violation: bool = False


class NodeState(_Wire):
    """A node of the order that is still ahead."""

    node_id: str
    sequence_id: int
    released: bool = True


class EdgeState(_Wire):
    """An edge of the order that is still ahead."""

    edge_id: str
    sequence_id: int
    released: bool = True


class ActionState(_Wire):
    """How far an action is: WAITING, INITIALIZING, RUNNING, PAUSED, FINISHED or FAILED."""

    action_id: str
    action_status: str
    action_type: str | None = None
    result_description: str | None = None


class State(Header):
    """Everything a vehicle says of itself."""

    order_id: str = ""
    order_update_id: int = 0
    last_node_id: str = ""
    last_node_sequence_id: int = 0
    node_states: tuple[NodeState, ...] = ()
    edge_states: tuple[EdgeState, ...] = ()
    action_states: tuple[ActionState, ...] = ()
    driving: bool | None = None
    paused: bool | None = None
    agv_position: Position | None = None
    velocity: Velocity | None = None
    loads: tuple[Load, ...] | None = None
    battery_state: Battery | None = None
    operating_mode: str | None = None
    errors: tuple[VehicleError, ...] = ()
    information: tuple[Information, ...] = ()
    safety_state: Safety | None = None


class Visualization(Header):
    """Where a vehicle is between two states."""

    agv_position: Position | None = None
    velocity: Velocity | None = None


class ConnectionMessage(Header):
    """Whether a vehicle is there; CONNECTIONBROKEN is its last will."""

    connection_state: Literal["ONLINE", "OFFLINE", "CONNECTIONBROKEN"]


class Parameter(_Wire):
    """A parameter of an action."""

    key: str
    value: Any = None


class Action(_Wire):
    """Something to do on a node or at once."""

    action_type: str
    action_id: str
    blocking_type: str = "HARD"
    action_parameters: tuple[Parameter, ...] | None = None

    def parameter(self, key: str) -> Any:
        """The value of a parameter; None where it is absent."""
        return next((p.value for p in self.action_parameters or () if p.key == key), None)


class OrderNode(_Wire):
    """A node to drive to; even sequence numbers."""

    node_id: str
    sequence_id: int
    released: bool
    actions: tuple[Action, ...] = ()


class OrderEdge(_Wire):
    """The way between two nodes; odd sequence numbers."""

    edge_id: str
    sequence_id: int
    released: bool
    start_node_id: str
    end_node_id: str
    actions: tuple[Action, ...] = ()


class Order(Header):
    """Where to drive and what to do there."""

    order_id: str
    order_update_id: int
    nodes: tuple[OrderNode, ...]
    edges: tuple[OrderEdge, ...]


class InstantActions(Header):
    """Things to do at once, whatever the order says; version 2.0 called the field ``instantActions``."""

    actions: tuple[Action, ...] = Field(validation_alias=AliasChoices("actions", "instantActions"))
