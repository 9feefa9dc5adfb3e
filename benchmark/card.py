"""A card is an agent at rest: what makes it, its files, where it comes from. Its digest covers behaviour, not names."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field

from crossplay.benchmark.config import build, canonical, config, from_table, read_toml, sha256, write_toml
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.registry import POLICIES

CARD_FILE = "card.toml"
NAME = r"^[\w.+~=@-]+$"  # of cards: what file systems and tables bear alike


@config
class Card:
    """`maker` is a table for POLICIES; `files` maps file names in the card's folder to their SHA-256."""

    name: str = Field(pattern=NAME)
    maker: dict[str, Any]
    game: str = ""  # spec name it was made for; empty: any it fits
    files: dict[str, str] = Field(default_factory=dict)
    family: str  # kind of partner: self_play, fcp, scripted …
    lineage: str  # what must stay on one side of a split: all checkpoints of a training share it
    trained_with: tuple[str, ...] = ()  # digests of every partner it was trained against
    record: dict[str, Any] = Field(default_factory=dict)  # how it was made: trainer, seed, steps, curves
    root: Path | None = Field(default=None, repr=False)  # where the files lie; neither stored nor hashed

    @cached_property
    def digest(self) -> str:
        """SHA-256 over maker and file contents."""
        return sha256(canonical({"maker": self.maker, "files": self.files}))

    def policy(self, game: Game) -> Policy:
        """The agent, ready to play. Raises Refused where it was made for another game or its files have changed."""
        if self.game and self.game != game.spec.name:
            raise Refused(f"card {self.name!r} was made for {self.game}; asked to play {game.spec.name}")
        self.check_files()
        policy: Policy = from_table(POLICIES, self.maker, f"card {self.name!r}").make(game, self.root)
        return policy

    def check_files(self) -> None:
        """Raises Refused naming the file that is missing, truncated or altered."""
        for name, wanted in self.files.items():
            path = (self.root or Path()) / name
            if not path.is_file():
                raise Refused(f"card {self.name!r}: {path} is missing")
            found = sha256(path.read_bytes())
            if found != wanted:
                raise Refused(
                    f"card {self.name!r}: {path} was altered: SHA-256 {found[:12]}…, the card says {wanted[:12]}…"
                )

    def save(self, root: Path, contents: Mapping[str, bytes] | None = None) -> "Card":
        """Writes files (name → bytes), then the card; returns the card with its files' hashes and its root."""
        contents = contents or {}
        try:
            root.mkdir(parents=True, exist_ok=True)
            for name, data in contents.items():
                draft = root / f".{name}.draft"
                draft.write_bytes(data)
                draft.replace(root / name)
            card = replace(self, files={**self.files, **{n: sha256(d) for n, d in contents.items()}}, root=root)
            write_toml(root / CARD_FILE, card.table())
        except OSError as error:
            raise Refused(f"cannot write card {self.name!r} to {root}: {error.strerror or error}") from None
        return card

    def table(self) -> dict[str, Any]:
        """The card as stored: every field but `root`."""
        return {
            "name": self.name,
            "game": self.game,
            "family": self.family,
            "lineage": self.lineage,
            "trained_with": list(self.trained_with),
            "maker": self.maker,
            "files": self.files,
            "record": self.record,
        }


def load_card(root: Path) -> Card:
    """The card in a folder, its files verified. Raises Refused where it is missing, broken or altered."""
    path = root / CARD_FILE if root.is_dir() else root
    card = build(Card, {**read_toml(path), "root": path.parent}, str(path))
    card.check_files()
    return card
