"""Working agents to start from."""

from pathlib import Path

from crossplay.benchmark.config import write_toml
from crossplay.benchmark.errors import Refused, unknown
from crossplay.leaderboard.submission import llm_form
from crossplay.leaderboard.submission.manifest import AGENT_FILE

PYTHON = '''"""An agent of one's own. One is made for every episode, so what it remembers is of this episode."""

import random


class Agent:
    def __init__(self, seed: int, seat: int, actions: list[str]) -> None:
        self.luck = random.Random(seed)  # equal seeds have to give equal play: no other source of luck
        self.seat, self.actions = seat, actions
        self.last = 0

    def act(self, observation, legal) -> int:
        """observation: an array of the view's shape; legal: a bool an action. Returns the number of an action."""
        allowed = [action for action, fine in enumerate(legal) if fine]
        if self.luck.random() < 0.3 or self.last not in allowed:  # wander: keep going, now and then elsewhere
            self.last = self.luck.choice(allowed)
        return self.last
'''
SOURCES = {
    "python": ["agent.py:Agent"],
    "onnx": ["{game}.onnx"],
    "network": ["{game}"],
    "llm": ["llm.toml"],
}
NEXT = {
    "python": "it plays as it is (at random); make `act` better",
    "onnx": "put one graph a game there: inputs observation, legal, memory; outputs logits, memory_out",
    "network": "put one card a game there, as `crossplay train … --out` writes it",
    "llm": "name the model in llm.toml; OPENAI_BASE_URL says where it is asked",
}


def init(folder: Path, form: str) -> str:
    """Writes an agent to start from into a new folder; returns what to do next. Raises Refused where it is not new."""
    if form not in SOURCES:
        raise unknown("form", form, SOURCES)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder} is already there, and not empty")
    table = {
        "name": folder.resolve().name,
        "authors": ["your name"],
        "licence": "MIT",
        "form": form,
        "games": ["overcooked:cramped_room", *([] if form == "llm" else ["collab-grid"])],
        "sources": SOURCES[form],
        "training": "untrained; say with what, how long, and with which partners",
        "trained_with": [],
    }
    try:
        write_toml(folder / AGENT_FILE, table)
        if form == "python":
            (folder / "agent.py").write_text(PYTHON, encoding="utf-8")
        if form == "llm":
            write_toml(folder / "llm.toml", llm_form.SOURCE)
    except OSError as error:
        raise Refused(f"cannot write {folder}: {error.strerror or error}") from None
    return NEXT[form]
