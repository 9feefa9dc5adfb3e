"""How agents learn: one algorithm a file. Trainers are handed partners and never import populations."""
