"""Example models, built in code: a real one trained on real data, and a large one with random weights."""
