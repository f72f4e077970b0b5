"""Point roles: what a point means to the brain, named once so that stages, connectors and twin agree."""

from __future__ import annotations

from typing import Final

# Every device
UNIT_STATE: Final = "unit_state"  # PackML state number (model.states.UnitState)
UNIT_MODE: Final = "unit_mode"  # model.states.UnitMode
SAMPLE_COUNT: Final = "sample_count"  # samples this device has made available, this one included
SCAN_TIME: Final = "scan_time"  # Modbus only: plant time of the register scan, ms since epoch
HEARTBEAT: Final = "heartbeat"

# Machines: what became of the job order and of the last request
JOB_KEY: Final = "job_key"  # key of the job order being worked, or last worked
JOB_STATE: Final = "job_state"  # model.states.JobState
JOB_GOOD: Final = "job_good"  # good pieces of this job so far
JOB_SCRAP: Final = "job_scrap"
JOB_PROGRESS: Final = "job_progress"  # percent
COMMAND_KEY: Final = "command_key"  # key of the last request answered, whatever it was
COMMAND_RESULT: Final = "command_result"  # model.commands.Result of that request

# Machines without methods (Modbus, Sparkplug): the request is written here, REQUEST_KEY last
REQUEST_KEY: Final = "request_key"
REQUEST_VERB: Final = "request_verb"  # model.commands.Verb number
REQUEST_LOT: Final = "request_lot"
REQUEST_PRODUCT: Final = "request_product"
REQUEST_OPERATION: Final = "request_operation"
REQUEST_QUANTITY: Final = "request_quantity"

# Machines, more
SETPOINT: Final = "setpoint"  # a writable parameter
SPEED: Final = "speed"
POWER: Final = "power"  # kW
ENERGY: Final = "energy"  # kWh, counting up
TOTAL_GOOD: Final = "total_good"
TOTAL_SCRAP: Final = "total_scrap"
BUFFER_IN: Final = "buffer_in"  # lots waiting in front of the unit
BUFFER_OUT: Final = "buffer_out"
WEAR: Final = "wear"

# Vehicles
POSITION_X: Final = "position_x"
POSITION_Y: Final = "position_y"
HEADING: Final = "heading"  # rad
VELOCITY: Final = "velocity"  # m/s
BATTERY: Final = "battery"  # percent
CHARGING: Final = "charging"
DRIVING: Final = "driving"
LAST_NODE: Final = "last_node"  # Node.number
ORDER_KEY: Final = "order_key"  # key of the transport order in the vehicle's state
ORDER_STATE: Final = "order_state"  # model.states.TransportState
LOAD: Final = "load"  # lot number on board, 0 for none
ERRORS: Final = "errors"  # count of active errors
E_STOP: Final = "e_stop"  # 0 none, 1 active

#: What tells of the wire, not of the plant: no decision rests on it.
OF_THE_WIRE: Final = frozenset({SAMPLE_COUNT, SCAN_TIME, HEARTBEAT})
ALL: Final = frozenset(v for k, v in dict(globals()).items() if k.isupper() and isinstance(v, str))
