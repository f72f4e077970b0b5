"""谋 Decide: orders and facts become proposals; in this first form first come, first served."""
