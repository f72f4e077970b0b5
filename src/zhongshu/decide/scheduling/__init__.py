"""Scheduling: a problem made of plain values, solutions of it, an independent checker, and the engine that improves them."""
