"""Partners that language models write or play: programs, and a seam for live models whose choices are taped."""
