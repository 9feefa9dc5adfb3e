"""`python -m crossplay.leaderboard.cli`."""

from crossplay.leaderboard.cli import main

main()
