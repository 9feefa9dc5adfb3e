"""The games that ship; importing this package registers every one of them in GAMES."""
