"""The views of a kitchen by name; the first is the default."""

from crossplay.benchmark.games.overcooked import compact, lossless, symbols

VIEWS = {"compact": compact, "lossless": lossless, "symbols": symbols}
