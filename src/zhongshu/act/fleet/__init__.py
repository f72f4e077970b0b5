"""行 The fleet: who drives when over which lane; orders go out with the way that is free, and are extended as it frees."""
