"""Partner programs as a population: cards that need no training and no model, only the rules that one once wrote."""

from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import ClassVar, NamedTuple

from pydantic import Field, NonNegativeInt, PositiveInt

from crossplay.benchmark.card import NAME, Card
from crossplay.benchmark.config import build, config, to_table
from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.game import Game
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.populations.generator import GENERATORS, Task
from crossplay.populations.llm.openai_backend import OpenAIBackend
from crossplay.populations.llm.program import Program, read_json

FAMILY = "llm-program"
SHIPPED = Path(str(resources.files("crossplay.populations"))) / "llm" / "programs"


@config
class Written:
    """A program and where it comes from: who wrote it, for which convention, asked by which prompt, when."""

    name: str = Field(pattern=NAME)
    convention: str = Field(min_length=1)
    author: str = Field(min_length=1)  # the model's id, "unrecorded" where nobody noted it
    date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    prompt: str = ""  # what the model was asked; empty: prompt.txt beside the file, and the convention
    note: str = ""  # what else is to be known of how it came about
    program: Program

    def card(self, game: Game) -> Card:
        """Its card; what it does is in the maker, where it comes from in the record."""
        return Card(
            name=f"program-{self.name}",  # a rule partner may be called alike
            maker=to_table(self.program),
            game=game.spec.name,
            family=FAMILY,
            lineage=f"{FAMILY}/{self.name}",
            record={
                "author_model": self.author,
                "written": self.date,
                "convention": self.convention,
                "prompt": self.prompt,
                **({"note": self.note} if self.note else {}),
            },
        )


def load(path: Path) -> Written:
    """A program's file. Raises Refused naming file, place, fault and, for a word, the nearest one that is known."""
    try:
        text = path.read_text(encoding="utf-8")
        asked = path.with_name("prompt.txt").read_text(encoding="utf-8") if '"prompt"' not in text else ""
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path}: cannot be read: {error}") from None
    table = read_json(text, str(path))
    if asked:
        table["prompt"] = f"{asked.rstrip()} {table.get('convention', '')}"
    return build(Written, table, str(path))


@cache
def shipped() -> dict[str, Path]:
    """Programs that come with the package: name → file."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.json"))}


class _Cards(NamedTuple):
    programs: tuple[Written, ...]
    game: Game
    out: Path

    def make(self) -> list[Card]:
        """Saves one card a program. Raises Refused where the game is not one for programs."""
        cards = [program.card(self.game) for program in self.programs]
        for card in cards:
            card.policy(self.game)
        return [card.save(self.out / card.name) for card in cards]


@GENERATORS.register("llm_program")
@config
class LLMProgram:
    """Partner programs that a language model wrote: shipped ones by name, others by file; without a list, all shipped.

    With `n` and a model (`backend`) so many new ones are asked for. Nothing in them depends on a seed.
    """

    home: ClassVar[Game] = Overcooked()
    makes: ClassVar[str] = FAMILY  # the family, where it is not called as its generator

    programs: tuple[str, ...] = ()
    n: NonNegativeInt = 0  # new programs
    backend: OpenAIBackend | None = None
    asks: PositiveInt | None = None  # most answers that are asked for; three times n where not given

    def tasks(self, game: Game, out: Path, *, seed: int, device: str) -> Sequence[Task]:
        """One task for all. Raises Refused for an unknown name, two of one name, or any other game than Overcooked."""
        if not isinstance(game, Overcooked):
            raise Refused(f"llm_program: programs are written for overcooked; given {game.spec.name}")
        if self.n or self.backend:
            return [self._proposed(game, out)]
        written = tuple(load(_path(text)) for text in self.programs or shipped())
        names = [program.name for program in written]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise Refused(f"llm_program: the program names {', '.join(twice)} are given twice")
        return [_Cards(written, game, out)]

    def _proposed(self, game: Game, out: Path) -> Task:
        from crossplay.populations.llm.proposals import Proposed

        if not self.n or not self.backend or self.programs:
            raise Refused(
                "llm_program: new programs want n, --endpoint or backend.base_url, --model, and no `programs`"
            )
        prompt = SHIPPED.joinpath("prompt.txt").read_text(encoding="utf-8").rstrip()
        return Proposed(self.backend, prompt, self.n, self.asks or 3 * self.n, game, out)


def _path(text: str) -> Path:
    if text.endswith(".json"):
        return Path(text)
    if text not in shipped():
        raise unknown("program", text, shipped())
    return shipped()[text]
