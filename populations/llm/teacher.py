"""A player of fixed rules that reads what a language model reads, and whose choices a tiny model is taught."""

import re
from collections.abc import Sequence

from crossplay.populations.llm.backend import BackendCard, ChoiceReply, ChoiceRequest

_POT = re.compile(r"Pot (\d+) holds (.+), (not cooking|ready|ready in (?:0-2|3-5|6\+) steps)\.")
_ONION = re.compile(r"Steps to the (\w+) onion: you (\S+), your partner \S+\. It (lies there|is gone)\.")
_SOON = ("ready", "ready in 0-2 steps", "ready in 3-5 steps", "ready in 6+ steps")


class Rules:
    """Deliver, plate what is ready first, fill pots, fetch what is wanted; else step aside where blocked, or wait.

    In collab-grid: deliver, else fetch the nearest onion that lies there, or wait for one where it grows.
    """

    def choose(self, requests: Sequence[ChoiceRequest]) -> list[ChoiceReply]:
        """One reply a request; it depends on the request's text alone."""
        return [
            ChoiceReply(request.options.index(errand(request.messages[-1][1], request.options))) for request in requests
        ]

    def card(self) -> BackendCard:
        """A rule, and no model."""
        return BackendCard("rules", "rules", {})


def errand(text: str, options: Sequence[str]) -> str:
    """What the rules do in a situation in words, one of the options."""
    pots = {number: (contents, fire) for number, contents, fire in _POT.findall(text)}
    wanted = _wanted(text, pots) if "You hold" in text else _fetched(text)
    found = next((name for name in wanted if name in options), "")
    return found or ("step aside" if "nearest pot: you out of reach" in text and "step aside" in options else "wait 1")


def _wanted(text: str, pots: dict[str, tuple[str, str]]) -> list[str]:
    hot = sorted((number for number in pots if pots[number][1] in _SOON), key=lambda n: _SOON.index(pots[n][1]))
    cold = sorted((number for number in pots if number not in hot), key=lambda number: -_filling(pots[number][0]))
    if "You hold a dish" in text:
        return [f"plate soup {number}" for number in hot] + ([] if hot else ["hand over", "put on counter"])
    if "You hold nothing" not in text:  # an ingredient, or a soup
        return ["deliver", *(f"put in pot {number}" for number in cold), "hand over"]
    full = [number for number in cold if _filling(pots[number][0]) >= 3]
    dish = ["pick dish from counter", "get dish"] if hot and "Your partner holds a dish" not in text else []
    more = ["pick onion from counter", "get onion", "get tomato"] if len(full) < len(cold) else []
    return ["pick soup from counter", *(f"start pot {number}" for number in full), *dish, *more]


def _fetched(text: str) -> list[str]:
    onions = sorted(_ONION.findall(text), key=lambda onion: (onion[2] == "is gone", onion[1]))
    return ["deliver", *(f"get {name} onion" for name, _, _ in onions)]


def _filling(contents: str) -> int:
    return sum(int(number) for number in re.findall(r"\d+", contents))
