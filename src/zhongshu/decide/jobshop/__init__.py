"""The engine for bare job shops: compiled tabu search over a plain problem's machine orders, back to its solution."""
