"""One neutral prompt for everybody; what was said is filled in literally and never read as part of the template."""

import re

from crossplay.benchmark.config import config
from crossplay.benchmark.errors import unknown

SLOT = re.compile(r"\{(question|own|peer)\}")


@config
class Wording:
    """What is asked in the first round and in later ones. Every slot once: {question}, and later {own} and {peer}."""

    first: str
    later: str

    def __post_init__(self) -> None:
        for name, wanted in (("first", ["question"]), ("later", ["own", "peer", "question"])):
            found = sorted(SLOT.findall(getattr(self, name)))
            if found != wanted:
                raise ValueError(f"{name} must have the slots {wanted}, each once; has {found}")

    def filled(self, question: str, own: str | None = None, peer: str | None = None) -> str:
        """The prompt. One pass, so that a `{peer}` inside an answer stays as it was said."""
        template = self.first if own is None else self.later
        values = {"question": question, "own": own or "", "peer": peer or ""}
        return SLOT.sub(lambda slot: values[slot[1]], template)


TERSE = Wording(first="{question}\nA:", later="{question}\nYou: {own}\nPeer: {peer}\nA:")
PLAIN = Wording(
    first=(
        "Solve this problem. Think step by step, and end with the answer as a number on a line of its own, "
        "after ####.\n\nProblem: {question}\n\nSolution:"
    ),
    later=(
        "Solve this problem. Think step by step, and end with the answer as a number on a line of its own, "
        "after ####.\n\nProblem: {question}\n\nYour solution of the round before:\n{own}\n\n"
        "Your peer's solution of the round before:\n{peer}\n\n"
        "Either may be right or wrong. Give your solution now.\n\nSolution:"
    ),
)
WORDINGS = {"terse": TERSE, "plain": PLAIN}


def wording(name: str) -> Wording:
    """A wording by name. Raises Refused with the nearest name."""
    if name not in WORDINGS:
        raise unknown("wording", name, WORDINGS)
    return WORDINGS[name]
