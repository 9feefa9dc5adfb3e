"""Debate, a game of texts: two agents answer a question, read each other, and answer again [Qu2026]."""

from crossplay.benchmark.games.debate.game import Debate

__all__ = ["Debate"]
