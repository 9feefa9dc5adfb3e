"""How agents learn: one algorithm a file. Trainers are handed partners and never import populations."""

from crossplay.agents import inference as _inference  # noqa: F401  a card's `network` is known wherever networks are
