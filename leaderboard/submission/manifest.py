"""What a submitted agent says of itself: `agent.toml` in its folder."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from crossplay.benchmark.card import CARD_FILE, Card, load_card
from crossplay.benchmark.config import build, canonical, config, from_text, read_toml, sha256
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.registry import GAMES

AGENT_FILE = "agent.toml"
FAMILY = "submission"
NAME = r"^[A-Za-z0-9][\w.-]{0,62}$"
Form = Literal["python", "onnx", "network", "llm"]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
SKIPPED = {"__pycache__", ".git", ".venv", ".pytest_cache", ".ipynb_checkpoints"}


@config
class Submission:
    """`sources` are independently trained seeds of one agent; `{game}` in one stands for the game's short name.

    A source is file.py:Class (python), a graph.onnx, a card's folder as `crossplay train` writes it (network), or a
    TOML file that names a language model (llm).
    """

    name: str = Field(pattern=NAME)
    authors: tuple[str, ...] = Field(min_length=1)
    licence: str = Field(min_length=1)
    form: Form
    games: tuple[str, ...] = Field(min_length=1)  # as on the command line: overcooked:cramped_room
    sources: tuple[str, ...] = Field(min_length=1)
    seats: tuple[Annotated[int, Field(ge=0)], ...] = ()  # that it can take; empty: all. A board asks for all
    view: str = ""  # that it reads; empty: the game's default view
    sample: bool = False  # onnx: draw from the policy with the episode's luck; else its likeliest action
    training: str = Field(min_length=1)  # in words: with what, how long, with which partners
    trained_with: tuple[Digest, ...] = ()  # digests of partners and populations it has met in training
    root: Path | None = Field(default=None, repr=False)  # its folder; neither stored nor hashed

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return self.root or Path()

    def played(self) -> list[Game]:
        """The games it is for. Raises Refused with the nearest name where there is none of it."""
        return [from_text(GAMES, text) for text in self.games]

    def fits(self, game: Game) -> bool:
        """Whether it is for this game."""
        return game.spec.name in {one.spec.name for one in self.played()}

    def cards(self, game: Game) -> tuple[Card, ...]:
        """A card for every source. Raises Refused where a file that is named is missing, or says something else."""
        return tuple(self._card(number, source, game) for number, source in enumerate(self.sources))

    def _card(self, number: int, source: str, game: Game) -> Card:
        from crossplay.leaderboard.suite import short

        where = source.replace("{game}", short(game.spec.name, "-").replace("/", "-"))
        card = Card(
            name=f"{self.name}-{number}",
            maker=self._maker(where, f"{self.name}-{number}-{game.spec.name.replace('/', '-')}"),
            game=game.spec.name,
            files={name: found for name, found in contents(self.folder).items() if name != AGENT_FILE},
            family=FAMILY,
            lineage=f"{FAMILY}/{self.name}/{number}",
            trained_with=self.trained_with,
            record={"authors": list(self.authors), "licence": self.licence, "training": self.training},
            root=self.folder,
        )
        return self._trained(card, where) if self.form == "network" else card

    def _maker(self, source: str, name: str) -> dict[str, Any]:
        if self.form == "llm":
            from crossplay.leaderboard.submission import llm_form

            return llm_form.maker(self.folder, source, name)
        if self.form == "onnx":
            return {"kind": "onnx", "file": source, "view": self.view, "sample": self.sample}
        return {"kind": "python", "source": source, "view": self.view}

    def _trained(self, card: Card, where: str) -> Card:
        """The card in a folder of the agent's, under this agent's name."""
        mine = load_card(self.folder / where)
        if mine.maker.get("kind") != "network" or ".." in Path(where).parts:
            raise Refused(f"{self.folder / where}: its card is of kind {mine.maker.get('kind')!r}, wanted a network")
        met = tuple(dict.fromkeys((*self.trained_with, *mine.trained_with)))
        return replace(mine, name=card.name, family=FAMILY, lineage=card.lineage, trained_with=met)


def contents(folder: Path) -> dict[str, str]:
    """Every file of an agent's folder → its SHA-256, by name. Raises Refused for what is no plain, readable file."""
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()) for path in files(folder)}


def files(folder: Path) -> list[Path]:
    """An agent's files, sorted; without caches and what begins with a dot. Raises Refused as `contents` does."""
    found = []
    for where, folders, names in os.walk(folder, onerror=_unreadable):
        folders[:] = [name for name in folders if _counts(name)]
        for path in (Path(where, name) for name in (*folders, *names) if _counts(name)):
            if not path.name.isprintable():
                raise Refused(f"{str(path)!r}: a name that not every machine can write")
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise Refused(f"{path}: a link or a special file; an agent is plain files")
            if path.is_file():
                found.append(_readable(path))
    return sorted(found)


def _counts(name: str) -> bool:
    return name not in SKIPPED and not name.startswith(".")


def _readable(path: Path) -> Path:
    try:
        path.open("rb").close()
    except OSError as error:
        _unreadable(error)
    return path


def _unreadable(error: OSError) -> None:
    raise Refused(f"{error.filename}: cannot be read: {error.strerror or error}")


def digest(folder: Path) -> str:
    """SHA-256 over the names and contents of an agent's files: the same packed or not."""
    return sha256(canonical(contents(folder)))


def load(folder: Path) -> Submission:
    """The agent in a folder. Raises Refused where its agent.toml is missing or wrong."""
    path = folder / AGENT_FILE
    if not os.path.isfile(path):  # Path.is_file raises where the folder may not be looked into
        raise Refused(f"{folder}: no {AGENT_FILE} here; `crossplay init {folder}` writes one to start from")
    return build(Submission, {**read_toml(path), "root": folder}, str(path))


def is_submission(folder: Path) -> bool:
    """Whether a folder holds a submitted agent, and not a card."""
    return os.path.isfile(folder / AGENT_FILE) and not os.path.isfile(folder / CARD_FILE)


def faults(folder: Path, agent: Submission) -> Sequence[str]:
    """What is wrong with what the manifest says, short of playing."""
    found = []
    try:
        for game in agent.played():
            if agent.seats and set(agent.seats) != set(range(game.spec.seats)):
                found.append(f"seats = {list(agent.seats)}: a board asks for all {game.spec.seats} of {game.spec.name}")
            agent.cards(game)
    except Refused as refused:
        found.append(str(refused))
    return found
