"""Language models that learn to debate: one frozen base, an adapter for every agent and adversary [Qu2026]."""
