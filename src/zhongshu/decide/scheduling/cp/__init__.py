"""CP-SAT: a whole problem in, optimum and bound out; or a solution and a few tasks of it in, a better solution out."""
