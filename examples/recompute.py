"""Recomputes all numbers of a results folder's boards, intervals too, from its exported episodes, without crossplay.

    crossplay export results/quick episodes.parquet
    python examples/recompute.py results/quick episodes.parquet

It prints the largest difference to board.json. What the numbers are is said in crossplay's docs/scores.md. NaN is the
board's null: it needs a match that is missing. Ranks and differences between entries are not worked out anew.
"""

import json
import sys
import tomllib
from collections.abc import Callable, Iterator
from math import inf, isnan, nan
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm, t

PLACE = ["ego", "partner", "ego_seat"]
OF_SEEDS = "self_play", "free_riding"  # no partner plays in them
SURE = float(norm.ppf(0.975)) ** 2


class Entry(NamedTuple):
    """One entry in one game: what a board's row is worked out from."""

    returns: np.ndarray  # [1 + noises, egos, partners, seats]: partners as they are, then with trembling hands
    alone: np.ndarray  # [egos], with themselves
    riding: np.ndarray  # [egos], how far apart the private costs of their two seats are then
    family: np.ndarray  # [partners] names
    low: np.ndarray  # [partners, seats], with uniform play
    high: np.ndarray  # with a best response; NaN where there is none
    clear: np.ndarray  # whether it is clearly better
    noises: tuple[float, ...]

    def but(self, ego: int | None, partner: int | None) -> "Entry":
        """Without one of its seeds, one of its partners, or both."""
        egos = np.delete(np.arange(len(self.alone)), [] if ego is None else ego)
        return self._replace(alone=self.alone[egos], riding=self.riding[egos], returns=self.returns[:, egos]).of(
            np.delete(np.arange(len(self.family)), [] if partner is None else partner)
        )

    def of(self, partners: np.ndarray) -> "Entry":
        """With these partners only."""
        yard = {name: getattr(self, name)[partners] for name in ("family", "low", "high", "clear")}
        return self._replace(returns=self.returns[:, :, partners], **yard)

    def by_family(self, values: np.ndarray) -> dict[str, float]:
        """Plain means of values [partners]."""
        return {name: values[self.family == name].mean() for name in sorted(set(self.family))}


Numbers = dict[str, float]


def mean(numbers: Numbers) -> float:
    """Every family counts the same."""
    return float(np.mean(list(numbers.values())))


def middle(values: np.ndarray) -> float:
    """The interquartile mean."""
    cut = values.size // 4
    return nan if np.isnan(values).any() else float(np.sort(values, axis=None)[cut : values.size - cut].mean())


def tail(values: np.ndarray) -> float:
    """Mean of the lowest fifth, at least one value; the last one counts in part."""
    ordered, count = np.sort(values), max(1.0, len(values) / 5)
    weights = np.clip(count - np.arange(len(values)), 0, 1)
    return float((ordered * weights).sum() / weights.sum())


def plain(entry: Entry) -> Numbers:
    """What is said of all partners."""
    partners = entry.returns.mean(axis=(1, 3))  # [1 + noises, partners]
    families = entry.by_family(partners[0])
    whole, alone = mean(families), float(entry.alone.mean())
    kept = [mean(entry.by_family(row)) / whole if whole > 0 else nan for row in partners[1:]]
    near = np.where(entry.high <= 0, 1.0, np.minimum(1.0, entry.returns[0] / np.where(entry.high > 0, entry.high, nan)))
    return {
        "mean": whole,
        "iqm": middle(entry.returns[0]),
        "worst_partner": float(partners[0].min()),
        "cvar20": tail(partners[0]),
        "br_prox": middle(np.where(np.isnan(entry.returns[0]), nan, near)),
        "self_play": alone,
        "gap": alone - whole,
        "free_riding": float(entry.riding.mean()),
        **{f"families:{name}": value for name, value in families.items()},
        **{f"retention:{noise:g}": value for noise, value in zip(entry.noises, kept, strict=True)},
    }


def scores(entry: Entry) -> Numbers:
    """What is said of partners with whom a best response is clearly better than uniform play."""
    if not entry.clear.any():
        return {"score": nan}
    reach = np.where(entry.clear, entry.high - entry.low, 1.0)
    shares = np.where(entry.clear, (entry.returns[0].mean(axis=0) - entry.low) / reach, 0.0)
    families = entry.by_family(shares.sum(axis=1) / entry.clear.sum(axis=1))
    return {"score": mean(families), **{f"family_scores:{name}": value for name, value in families.items()}}


class Estimate(NamedTuple):
    """A number, and how sure it is: variance and variance²/freedom by source, and whether there is such luck."""

    value: float
    variance: np.ndarray  # [seeds, partners, pairing]
    square: np.ndarray
    seeds: bool
    partners: bool

    @property
    def half(self) -> float:
        """Half the width of its 95 % interval; NaN where it has none."""
        if not (self.seeds or self.partners):
            return nan
        freedom = [v**2 / s if s > 0 else inf for v, s in zip(self.variance, self.square, strict=True)]
        sure = t.ppf(0.975, freedom) ** 2
        own = self.variance[:2] - self.variance[2]
        width = (np.where(own > 0, sure[:2], SURE) * own).sum() + sure[2] * self.variance[2]
        return float(np.sqrt(max(width, SURE * self.variance[:2].max())))


def estimates(entry: Entry, of: Callable[[Entry], Numbers], luck: np.ndarray) -> dict[str, Estimate]:
    """Leaves out one seed, one partner of a family, and both; `luck` are the families of all partners."""

    def values(ego: int | None = None, partner: int | None = None) -> np.ndarray:
        return np.array(list(of(entry.but(ego, partner)).values()))

    whole, found = of(entry), np.zeros((2, 3, len(of(entry))))
    egos = range(len(entry.alone) if len(entry.alone) > 1 else 0)

    def add(source: int, moves: np.ndarray, freedom: int, count: int) -> None:
        variance = (moves**2).sum(axis=0) * freedom / count
        found[:, source] += variance, variance**2 / freedom

    less_ego = np.array([values(i) for i in egos])
    if egos:
        add(0, less_ego - less_ego.mean(axis=0), len(egos) - 1, len(egos))
    for mine in (np.flatnonzero(entry.family == name) for name in set(entry.family)):
        if (count := len(mine)) < 2:
            continue
        less = np.array([values(None, p) for p in mine])
        add(1, less - less.mean(axis=0), count - 1, count)
        if egos:
            both = np.array([[values(i, p) for p in mine] for i in egos])
            owed = np.array(list(whole.values())) - less_ego[:, None] - less + both
            add(2, owed.reshape(-1, len(whole)), (len(egos) - 1) * (count - 1), len(egos) * count)
    return {
        name: Estimate(value, *found[:, :, k], *_lucks(name, bool(egos), luck))
        for k, (name, value) in enumerate(whole.items())
    }


def _lucks(name: str, seeds: bool, families: np.ndarray) -> tuple[bool, bool]:
    if name == "worst_partner":  # of other partners the lowest may be lower than any that were met
        return False, False
    of, counts = name.partition(":")[2], pd.Series(families).value_counts()
    several = counts[of] > 1 if name.startswith("famil") else counts.max() > 1
    return seeds, bool(several) and name not in OF_SEEDS


def overall(ones: list[Estimate]) -> Estimate:
    """The plain mean over games."""
    values, variances, squares, seeds, partners = zip(*ones, strict=True)
    count = len(ones)
    sums = np.sum(variances, axis=0) / count**2, np.sum(squares, axis=0) / count**4
    return Estimate(float(np.mean(values)), *sums, all(seeds), all(partners))


def recompute(results: Path, episodes: Path, board: dict) -> dict[str, dict[str, dict[str, Estimate]]]:
    """Game → entry → name → number; agents and partners are those whose digests the board file states."""
    fields = ["game", "ego_digest", "partner_digest", *PLACE]
    seats = pd.read_parquet(episodes, columns=[*fields, "seat", "return", "cost"]).groupby([*fields, "seat"]).mean()
    matches = seats["return"].groupby(fields).mean().to_frame()
    matches["riding"] = seats["cost"].groupby(fields).max() - seats["cost"].groupby(fields).min()
    suite, found = tomllib.loads((results / "suite.toml").read_text(encoding="utf-8")), {}
    for path in results.glob("*/population.toml"):
        manifest = tomllib.loads(path.read_text(encoding="utf-8"))
        of = board["identity"]["games"][manifest["game"]]
        known = {*of["agents"].values(), *of["held_out"].values(), *of["trembling"].values()}
        these = matches.loc[manifest["game"]].reset_index()
        these = these[these.ego_digest.isin(known) & these.partner_digest.isin(known)].set_index(PLACE)
        noises = tuple(suite.get("noise", ()))
        found[manifest["game"]] = {
            name: estimates(entry, plain, entry.family)
            | estimates(entry.of(np.flatnonzero(entry.clear.any(axis=1))), scores, entry.family)
            for name, egos in _seeds(suite, of["agents"])
            for entry in [_entry(these, egos, manifest, noises, of["held_out"])]
        }
    return found


def _seeds(suite: dict, agents: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    wanted = {e["name"]: [f"{e['name']}-{i}" for i in range(e.get("seeds", 3))] for e in suite.get("entries", ())}
    yield from wanted.items()
    guests = [name for name in agents if name.rpartition("-")[0] not in wanted]
    for name in dict.fromkeys(guest.rpartition("-")[0] for guest in guests):
        yield name, [guest for guest in guests if guest.rpartition("-")[0] == name]


def _entry(
    matches: pd.DataFrame, egos: list[str], manifest: dict, noises: tuple[float, ...], scored: dict[str, str]
) -> Entry:
    held_out = {member["name"]: member["family"] for member in manifest["held_out"] if member["name"] in scored}
    seats = range(matches.index.get_level_values("ego_seat").max() + 1)
    met = [*held_out, *(f"{name}~{noise:g}" for noise in noises for name in held_out)]
    every = pd.MultiIndex.from_product([egos, met, seats], names=PLACE)
    shape = len(egos), 1 + len(noises), len(held_out), len(seats)  # a match that is missing is NaN
    returns = matches["return"].reindex(every).to_numpy().reshape(shape).swapaxes(0, 1)
    alone = matches.reindex([(ego, ego, 0) for ego in egos])
    yard = {(row["partner"], row["seat"]): row for row in manifest.get("bounds", {}).get("rows", ())}
    rows = [[yard.get((name, seat), {"unmeasured": True}) for seat in seats] for name in held_out]
    low, high = (np.array([[row.get(name, nan) for row in part] for part in rows]) for name in ("low", "high"))
    clear = np.array([[not row.get("unmeasured") for row in part] for part in rows])
    of = np.array(list(held_out.values()))
    return Entry(returns, alone["return"].to_numpy(), alone["riding"].to_numpy(), of, low, high, clear, noises)


def difference(results: Path, episodes: Path) -> float:
    """The largest difference to a number of board.json; infinite where only one of the two is null."""
    board = json.loads((results / "board.json").read_text(encoding="utf-8"))
    found, largest = recompute(results, episodes, board), 0.0
    names = {game: next(iter(rows.values())) for game, rows in found.items()}
    for part in board["boards"]:
        games = [part["game"]] if part["game"] in found else list(found)
        for row in part["rows"]:
            for name in dict.fromkeys(name for game in games for name in names[game]):
                mine = overall([found[game][row["entry"]][name] for game in games if name in names[game]])
                said = mine.value, mine.value - mine.half, mine.value + mine.half
                for one, other in zip(said, _stated(row, name), strict=True):
                    if isnan(one) != (other is None):
                        return inf
                    largest = max(largest, 0.0 if isnan(one) else abs(one - other))
    return largest


def _stated(row: dict, name: str) -> tuple[float | None, ...]:
    group, _, of = name.partition(":")
    key = name.replace("families:", "family:").replace("family_scores:", "family_score:")
    return row[group][of] if of else row[name], *row["intervals"].get(key, (None, None))


if __name__ == "__main__":
    print(f"largest difference: {difference(Path(sys.argv[1]), Path(sys.argv[2])):.3g}")
