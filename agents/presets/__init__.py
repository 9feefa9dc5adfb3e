"""Training settings that suit a game: TOML tables for `architecture`, `ppo` and `budget`.

`overcooked.toml` is for a kind of game, `overcooked-cramped_room.toml` would be laid over it for one layout.
"""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from crossplay.benchmark.config import merge, read_toml


def preset(game: Mapping[str, Any]) -> dict[str, Any]:
    """The settings for a game, given as its table; empty (the trainers' own defaults) where none are known better."""
    folder = Path(str(resources.files(__name__)))
    found: dict[str, Any] = {}
    for name in (f"{game.get('kind')}", f"{game.get('kind')}-{game.get('layout')}"):
        path = folder / f"{name}.toml"
        found = merge(found, read_toml(path)) if path.is_file() else found
    return found
