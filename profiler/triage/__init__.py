"""Bytes in, verdict out: what a file is and whether it may be opened, before any library parses it."""
