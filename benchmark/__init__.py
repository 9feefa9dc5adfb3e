"""What is played, and how a match runs. Knows nothing of learning, populations or ranking."""
