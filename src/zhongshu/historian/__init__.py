"""The memory of a plant: every Batch and event of the bus, queryable at once and durable once, for ever or as long as told."""
