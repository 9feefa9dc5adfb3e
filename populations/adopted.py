"""Partners that were made before, elsewhere or by somebody else: their cards are taken in as they are."""

import shutil
from pathlib import Path
from typing import NamedTuple

from crossplay.benchmark.card import CARD_FILE, Card, load_card
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.populations.generator import GENERATORS


class _Cards(NamedTuple):
    cards: tuple[Card, ...]
    out: Path

    def make(self) -> list[Card]:
        """Copies each card's folder, unless the same card is there already: a tape that has grown beside it stays."""
        return [self._adopted(card) for card in self.cards]

    def _adopted(self, card: Card) -> Card:
        place = self.out / card.name
        if not (place / CARD_FILE).is_file() or load_card(place).digest != card.digest:
            grown = [path.name for path in place.glob("*") if path.name not in (CARD_FILE, *card.files)]
            ignored = shutil.ignore_patterns(".*", *grown)
            shutil.copytree(card.root or Path(), place, ignore=ignored, dirs_exist_ok=True)
        return load_card(place)


@GENERATORS.register("cards")
@config
class Cards:
    """Every card in the folders of a folder that is for the game, as `crossplay populate` or `train` wrote it."""

    folder: Path

    def tasks(self, game: Game, out: Path, *, seed: int, device: str) -> list[_Cards]:
        """One task for all. Raises Refused where there is no card for the game."""
        found = [load_card(path.parent) for path in sorted(self.folder.glob(f"*/{CARD_FILE}"))]
        mine = tuple(card for card in found if card.game in ("", game.spec.name))
        if not mine:
            raise Refused(
                f"cards: {self.folder} has {len(found)} cards, none of them for {game.spec.name}; "
                f"`crossplay populate … --out {self.folder}` makes some"
            )
        return [_Cards(mine, out)]
