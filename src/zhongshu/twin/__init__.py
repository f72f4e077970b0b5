"""The twin: a plant of machines, vehicles and orders that answers on the real protocols; it knows nothing of the brain."""
