"""One error for everything a user can mend; its message names what was given, what was wanted and the nearest match."""

from collections.abc import Iterable
from difflib import get_close_matches


class Refused(Exception):
    """Something given to crossplay cannot be used; the message says what, why, and what would do."""


class Fault(Refused):
    """An agent broke the match it was playing: a result, to be recorded, and no other match's concern."""


class Outage(Fault):
    """What an agent needs could not be reached: its match is missing with that reason, and the next run tries again."""


def unknown(noun: str, given: object, known: Iterable[str]) -> Refused:
    """The refusal of a name that is not in `known`, with the nearest match or the whole list."""
    names = sorted(known)
    near = get_close_matches(str(given), names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names) or 'none'}"
    return Refused(f"unknown {noun} {given!r}; {hint}")
