"""Trends: the fits, where my model stands on them, what the next years bring, and what that does to advice."""
