"""Torch modules as layers with their costs, heard call by call on fake tensors."""
