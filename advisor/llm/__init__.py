"""A language model sized without running it: its architecture, what it needs, how fast and how hungry it is."""
