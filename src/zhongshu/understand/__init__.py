"""知 Understand: Batches become facts about units, jobs and transports."""
