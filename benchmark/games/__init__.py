"""The games that ship; importing this package registers every one of them in GAMES."""

from crossplay.benchmark.games.carry import Carry
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.games.corridor import Corridor
from crossplay.benchmark.games.debate import Debate
from crossplay.benchmark.games.matrix import Matrix
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.games.pettingzoo import PettingZooGame

__all__ = ["Carry", "CollabGrid", "Corridor", "Debate", "Matrix", "Overcooked", "PettingZooGame"]
