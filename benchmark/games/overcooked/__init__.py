"""Overcooked as a batched engine, proven equal to its reference implementations [Carroll2019]."""
