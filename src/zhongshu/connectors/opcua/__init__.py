"""OPC UA: both sides of the wire, over asyncua."""
