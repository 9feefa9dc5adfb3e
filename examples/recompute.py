"""Recomputes a results folder's boards from its exported episodes with pandas alone; prints the largest difference.

    crossplay export results/quick episodes.parquet
    python examples/recompute.py results/quick episodes.parquet

Numbers are returns per episode, and shares for the score. NaN is the board's null: it needs a match that is missing.
"""

import json
import sys
import tomllib
from math import inf, isnan, nan
from pathlib import Path
from typing import Any

import pandas as pd

PLACE = ["ego", "partner", "ego_seat"]
Numbers = dict[str, float]


def mean(values: pd.Series, by: Any = None) -> Any:
    """The plain mean, or those by an index level or labels; NaN where one value is."""
    return values.mean(skipna=False) if by is None else values.groupby(by).agg(lambda part: part.mean(skipna=False))


def numbers(played: pd.Series, egos: list[str], family: pd.Series, bounds: list[dict]) -> Numbers:
    """An entry's numbers in one game from J(ego, partner, seat), partner → family, and the partners' bounds."""
    every = pd.MultiIndex.from_product([egos, family.index, played.index.unique("ego_seat")], names=PLACE)
    returns = played.reindex(every)  # a match that is missing is NaN
    partners, pairs = mean(returns, "partner"), mean(returns, PLACE[1:])
    families, alone = mean(partners, family), mean(played.reindex([(ego, ego, 0) for ego in egos]))
    clear = [row for row in bounds if not row.get("unmeasured")]  # a best response clearly beats uniform play
    shares = [(pairs[row["partner"], row["seat"]] - row["low"]) / (row["high"] - row["low"]) for row in clear]
    scores = mean(pd.Series(shares, [row["partner"] for row in clear], dtype=float), lambda partner: partner)
    by_family = mean(scores, family)
    return {
        "mean": mean(families),
        "score": mean(by_family),
        "worst_partner": partners.min(skipna=False),
        "self_play": alone,
        "gap": alone - mean(families),
        **{f"family:{name}": value for name, value in families.items()},
        **{f"family_score:{name}": value for name, value in by_family.items()},
    }


def recompute(results: Path, episodes: Path, agents: dict[str, dict[str, str]]) -> dict[str, dict[str, Numbers]]:
    """Game → entry → numbers; `agents` are the digests that board.json states, game → name → digest."""
    fields = ["game", "ego_digest", "partner_digest", *PLACE, "key"]
    matches = pd.read_parquet(episodes, columns=[*fields, "return"]).groupby(fields)["return"].mean().reset_index()
    found: dict[str, dict[str, Numbers]] = {}
    for path in results.glob("*/population.toml"):
        manifest = tomllib.loads(path.read_text(encoding="utf-8"))
        mine, held_out = agents[manifest["game"]], manifest["held_out"]
        known = {*mine.values(), *(member["digest"] for member in held_out)}  # not others that had the same names
        these = (matches.game == manifest["game"]) & matches.ego_digest.isin(known) & matches.partner_digest.isin(known)
        played = matches[these].set_index(PLACE)["return"]
        family = pd.Series({member["name"]: member["family"] for member in held_out})
        seeds: dict[str, list[str]] = {}
        for name in mine:
            seeds.setdefault(name.rpartition("-")[0], []).append(name)
        bounds = manifest.get("bounds", {}).get("rows", [])
        found[manifest["game"]] = {entry: numbers(played, egos, family, bounds) for entry, egos in seeds.items()}
    return found


def overall(found: dict[str, dict[str, Numbers]], entry: str) -> Numbers:
    """The plain means over the games that know a number; NaN where the entry lacks one of them."""
    wanted = {key: [game for game in found.values() if key in next(iter(game.values()))] for key in _keys(found)}
    return {k: sum(game.get(entry, {}).get(k, nan) for game in games) / len(games) for k, games in wanted.items()}


def _keys(found: dict[str, dict[str, Numbers]]) -> set[str]:
    return {key for game in found.values() for row in game.values() for key in row}


def difference(results: Path, episodes: Path) -> float:
    """The largest difference to a number in board.json; infinite where only one of the two is null."""
    content = json.loads((results / "board.json").read_text(encoding="utf-8"))
    games = {name: of["agents"] for name, of in content["identity"]["games"].items()}
    found, largest = recompute(results, episodes, games), 0.0
    for board in content["boards"]:
        for row in board["rows"]:
            mine = found[board["game"]][row["entry"]] if board["game"] in found else overall(found, row["entry"])
            stated = row | {f"family:{name}": value for name, value in row["families"].items()}
            stated |= {f"family_score:{name}": value for name, value in row["family_scores"].items()}
            for name, value in mine.items():
                if isnan(value) != (stated[name] is None):
                    return inf
                largest = max(largest, 0.0 if isnan(value) else abs(value - stated[name]))
    return largest


if __name__ == "__main__":
    print(f"largest difference: {difference(Path(sys.argv[1]), Path(sys.argv[2])):.3g}")
