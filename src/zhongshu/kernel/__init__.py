"""The floor: clock, bus, ports, config, store, ids, supervision; everything above stands on it."""
