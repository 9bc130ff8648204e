"""Room 1, measure: what a model file is, and how fast, large and hungry it is on this machine."""
