"""Ground truth: risk-averse quantal response equilibria of small games, with certificates [Qu2026] [Mazumdar2024]."""

from crossplay.benchmark.theory.bimatrix import Bimatrix
from crossplay.benchmark.theory.rqe import Equilibrium, solve
from crossplay.benchmark.theory.variant import Variant

__all__ = ["Bimatrix", "Equilibrium", "Variant", "solve"]
