"""Who is better, and how sure we are: suites, the store, scores, the board and its pictures."""
