"""Mean and score of every complete entry by game and family: the board from exported episodes, in some twenty lines.

crossplay export results/quick episodes.parquet; python examples/headline.py results/quick episodes.parquet
"""

import sys
import tomllib
from pathlib import Path

import pandas as pd

results, episodes = map(Path, sys.argv[1:])
match = ["game", "partner", "ego_seat"]
manifests = [tomllib.loads(path.read_text(encoding="utf-8")) for path in results.glob("*/population.toml")]
held_out = pd.DataFrame(
    [{"game": m["game"], "partner": one["name"], **one} for m in manifests for one in m["held_out"]]
)
rows = [{"game": m["game"], "ego_seat": b["seat"], **b} for m in manifests for b in m.get("bounds", {}).get("rows", ())]
bounds = pd.DataFrame(rows, columns=[*match, "low", "high", "unmeasured"])
paid = pd.read_parquet(episodes, columns=[*match, "ego", "return"]).groupby([*match, "ego"])["return"].mean()
cells = paid.rename("mean").reset_index().merge(held_out[["game", "partner", "family"]]).merge(bounds, "left", match)
cells["score"] = ((cells["mean"] - cells.low) / (cells.high - cells.low)).where(cells.unmeasured == "")
cells["entry"] = cells.ego.str.rsplit("-", n=1).str[0]
met = cells.groupby(["game", "ego"])["mean"].transform("size")
whole = met == met.groupby(cells.game).transform("max")  # an agent that lacks a match leaves its entry out
cells = cells[whole.groupby([cells.game, cells.entry]).transform("all")]
board = ["game", "entry", "family"]
families = cells.groupby([*board, "partner"])[["mean", "score"]].mean().groupby(board).mean().unstack()
families[[("mean", "all"), ("score", "all")]] = families.T.groupby(level=0).mean().T
print(families.sort_index(axis=1).to_csv(), end="")
