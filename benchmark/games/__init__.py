"""The games that ship; importing this package registers every one of them in GAMES."""

from crossplay.benchmark.games import collab_grid as collab_grid
from crossplay.benchmark.games import matrix as matrix
from crossplay.benchmark.games.overcooked import game as overcooked_game
