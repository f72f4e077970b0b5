"""Benches: figures measured side by side in one run, written to docs/benchmarks.md by the scripts themselves."""
