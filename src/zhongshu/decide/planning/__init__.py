"""Planning: from the plant and the measured work to a scheduling problem, and from its solution to the plan in force."""
