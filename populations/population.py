"""A population is a manifest: which partners may be trained with, which are held out, and the hash of each."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w
from pydantic import Field

from crossplay.benchmark.card import CARD_FILE, Card, load_card
from crossplay.benchmark.config import build, canonical, config, digest, read_toml, sha256, to_table
from crossplay.benchmark.errors import Refused
from crossplay.populations.bounds import Bounds
from crossplay.populations.diversity import Diversity

MANIFEST = "population.toml"
SHIPPED = Path(str(resources.files("crossplay.populations"))) / "manifests"  # <suite>/<game>/, as below a run's results
DECIDES = ("seed", "game", "training", "held_out")  # what of a recipe the held-out partners come from
SECTIONS = ("bounds", "diversity")  # measured of the partners after they were made, each with a digest of its own


@config
class Member:
    """One partner as the manifest knows it."""

    name: str
    family: str
    lineage: str
    digest: str
    path: str  # of the card's folder, relative to the manifest

    @classmethod
    def of(cls, card: Card, root: Path) -> "Member":
        """The member for a card that lies below the manifest's folder."""
        path = (card.root or root).relative_to(root).as_posix()
        return cls(name=card.name, family=card.family, lineage=card.lineage, digest=card.digest, path=path)

    def load(self, root: Path) -> Card:
        """The card, re-hashed. Raises Refused where it is not what the manifest says."""
        card = load_card(root / self.path)
        for field in ("name", "family", "lineage", "digest"):
            given, wanted = getattr(card, field), getattr(self, field)
            if given != wanted:
                raise Refused(f"{root / self.path}: {field} is {given!r}, the manifest says {wanted!r}")
        return card


@config
class Population:
    """Partners of one game in two parts that share no lineage and no behaviour."""

    name: str
    game: str  # spec name
    recipe: dict[str, Any] = Field(default_factory=dict)  # generator tables of both parts, seed
    train: tuple[Member, ...] = ()
    held_out: tuple[Member, ...] = ()
    bounds: Bounds | None = None  # what the held-out partners' scores are measured against
    diversity: Diversity | None = None  # how unlike each other the held-out partners are

    def __post_init__(self) -> None:
        """Raises Refused where a lineage or a digest is on both sides, a name is twice, or a bound is nobody's."""
        for what in ("lineage", "digest"):
            both = {getattr(m, what) for m in self.train} & {getattr(m, what) for m in self.held_out}
            if both:
                raise Refused(f"population {self.name!r}: {what} {min(both)!r} is both trained with and held out")
        names = [member.name for member in self.train + self.held_out]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise Refused(f"population {self.name!r}: two members are named {twice[0]!r}")
        for name in SECTIONS:
            if section := getattr(self, name):
                section.check(self.name, {member.name: member.digest for member in self.held_out})

    @property
    def digest(self) -> str:
        """SHA-256 over game, recipe and the members' digests and lineages; not over names or places.

        Nor over what was measured of them: agents declare this digest as what they trained with, and measuring makes
        nobody another partner. Bounds and diversity state digests of their own, and the text's hash covers all.
        """
        parts = [[[m.digest, m.family, m.lineage] for m in part] for part in (self.train, self.held_out)]
        return sha256(canonical({"game": self.game, "recipe": self.recipe, "parts": parts}))

    @property
    def unseen_families(self) -> list[str]:
        """Families that are held out whole."""
        return sorted({m.family for m in self.held_out} - {m.family for m in self.train})

    def text(self) -> bytes:
        """The manifest's one and only form: so that any changed byte can be told."""
        table: dict[str, Any] = {
            "name": self.name,
            "game": self.game,
            "digest": self.digest,
            "recipe": self.recipe,
            "train": [_table(member) for member in self.train],
            "held_out": [_table(member) for member in self.held_out],
        }
        for name in SECTIONS:
            if section := getattr(self, name):
                table[name] = {"digest": digest(section), **to_table(section)}
        body = tomli_w.dumps(table)
        return f"{body}\n# sha256 {sha256(body)}\n".encode()

    def save(self, root: Path) -> Path:
        """Writes the manifest into the folder its members lie below."""
        path = root / MANIFEST
        draft = path.with_name(f".{MANIFEST}.draft")
        draft.write_bytes(self.text())
        draft.replace(path)
        return path

    def measured_as(self, root: Path) -> "Population":
        """This population with what the manifest at `root` has measured of the very same partners, if there is one.

        Bounds stay with every partner that is still held out; diversity is of them all, or of none.
        """
        if not (root / MANIFEST).is_file():
            return self
        old = load_population(root)
        if (old.game, old.recipe.get("game")) != (self.game, self.recipe.get("game")):
            return self
        held_out = {member.name: member.digest for member in self.held_out}
        same = held_out == {member.name: member.digest for member in old.held_out}
        bounds = old.bounds.of(held_out) if old.bounds else None
        return replace(self, bounds=bounds, diversity=old.diversity if same else None)

    def cards(self, root: Path) -> tuple[tuple[Card, ...], tuple[Card, ...]]:
        """(train, held_out) cards, each re-hashed."""
        return tuple(m.load(root) for m in self.train), tuple(m.load(root) for m in self.held_out)


def _table(member: Member) -> dict[str, str]:
    return {k: getattr(member, k) for k in ("name", "family", "lineage", "digest", "path")}


def assemble(
    name: str, game: str, root: Path, train: Sequence[Card], held_out: Sequence[Card], recipe: dict[str, Any]
) -> Population:
    """The population of cards that lie below `root`."""
    sides = [tuple(Member.of(card, root) for card in cards) for cards in (train, held_out)]
    return Population(name=name, game=game, recipe=recipe, train=sides[0], held_out=sides[1])


def load_population(path: Path) -> Population:
    """Reads a manifest (file or folder). Raises Refused where one byte of it has changed since it was written."""
    path = path / MANIFEST if path.is_dir() else path
    table = read_toml(path)
    stated = table.pop("digest", None)
    hashes = {name: table[name].pop("digest", None) for name in SECTIONS if isinstance(table.get(name), dict)}
    population = build(Population, table, str(path))
    if stated != population.digest:
        raise Refused(f"{path}: the manifest was altered: its digest is {population.digest[:12]}…, it says {stated!r}")
    for name, given in hashes.items():
        if given != digest(getattr(population, name)):
            raise Refused(f"{path}: the manifest was altered: the digest of its {name} is not {given!r}")
    if path.read_bytes() != population.text():
        raise Refused(f"{path}: the manifest was altered: its text is not the one its content is written as")
    return population


class Shipped(NamedTuple):
    """A task: the held-out partners that come with the package, copied to where a run wants its cards."""

    population: Population
    root: Path  # the manifest's folder
    out: Path

    def make(self) -> list[Card]:
        """The cards. Raises Refused where one is not what the manifest says."""
        return [self._adopted(member) for member in self.population.held_out]

    def _adopted(self, member: Member) -> Card:
        place = self.out / member.name
        if (place / CARD_FILE).is_file() and load_card(place).digest == member.digest:
            return load_card(place)
        member.load(self.root)
        shutil.copytree(self.root / member.path, place, dirs_exist_ok=True)
        return load_card(place)


def shipped(suite: str, game: str, recipe: Mapping[str, Any], out: Path) -> Shipped | None:
    """Held-out partners made for a suite's game by this very recipe, if such come with the package.

    The recipe may hold out more after them: what comes with the package is then the first part.
    """
    root = SHIPPED / suite / game
    if not (root / MANIFEST).is_file():
        return None
    population = load_population(root)
    wanted = {**recipe, "held_out": recipe["held_out"][: len(population.recipe["held_out"])]}
    parts = [
        [table.get(name) for name in ("seed", "game", "training", "held_out")] for table in (population.recipe, wanted)
    ]
    return Shipped(population, root, out) if canonical(parts[0]) == canonical(parts[1]) else None


def verify(path: Path, held_out_only: bool = False) -> Population:
    """Reads a manifest and re-hashes every member's files. Raises Refused at the first thing that is not as stated.

    `held_out_only` asks nothing of the partners that were trained with, which may be elsewhere.
    """
    path = path / MANIFEST if path.is_dir() else path
    population = load_population(path)
    for member in population.held_out if held_out_only else population.train + population.held_out:
        member.load(path.parent)
    return population
