"""厂 Plant: one factory brain; wires the stages to bus, store, clock and connections."""
