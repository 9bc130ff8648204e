"""Room 2, decide: compress for real, compare, choose plan, hardware and region, and say why."""
