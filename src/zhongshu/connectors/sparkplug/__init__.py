"""Sparkplug B 3.0: the host application on the brain's side, an edge node with its devices on the other."""
