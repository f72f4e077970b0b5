"""The planner: keeps a plan of the whole plant in force, repairs it when reality moves, answers what people ask of it."""
