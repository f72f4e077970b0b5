"""The words: plant, points, batches, orders, commands and messages; frozen values without I/O or clock."""
