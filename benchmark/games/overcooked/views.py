"""The views of a kitchen by name; the first is the default."""

from crossplay.benchmark.games.overcooked import compact, lossless, symbols, varying

VIEWS = {"compact": compact, "lossless": lossless, "varying": varying, "symbols": symbols}
