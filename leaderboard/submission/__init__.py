"""Agents from outside: what they have to be, how they are packed and checked, and the cage their code runs in."""
