"""Compiled search for plants: a list of tasks is decoded into a schedule that respects everything, and improved by moves."""
