"""Training settings that suit a kind of game, one TOML file each: tables for `architecture`, `ppo` and `budget`."""

from importlib import resources
from pathlib import Path
from typing import Any

from crossplay.benchmark.config import read_toml


def preset(kind: str) -> dict[str, Any]:
    """The settings for a kind of game; empty (the trainers' own defaults) where none are known to be better."""
    path = Path(str(resources.files(__name__))) / f"{kind}.toml"
    return read_toml(path) if path.is_file() else {}
