"""The REST side of the control room: one module a subject, each a router that is given the room."""
