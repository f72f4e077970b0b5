"""The nerves: one folder per protocol, each with both sides of the wire; ``registry`` loads them by name."""
