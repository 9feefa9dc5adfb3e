"""Measuring a population: the bounds of its held-out partners, and how unlike each other they are.

Best responses and matches lie beside the manifest, in `measured`; so done work is never done again, and what was
measured can be recomputed from what every episode paid.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from crossplay.agents.divergence import Diverged
from crossplay.agents.trainer import Trainer
from crossplay.agents.training import Training, pick_device
from crossplay.benchmark.card import Card
from crossplay.benchmark.config import from_table, to_table
from crossplay.benchmark.crossplay import Fixture, fixture
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.match import Returns
from crossplay.benchmark.registry import GAMES
from crossplay.leaderboard.measures import mean_return
from crossplay.leaderboard.store import ResultStore
from crossplay.leaderboard.suite import trainer_on
from crossplay.leaderboard.work import Tell, make_cards, play_missing
from crossplay.populations.bounds import Bound, Bounds, bound
from crossplay.populations.diversity import Diversity, Near, Skill, effective_rank, event_means, event_volume
from crossplay.populations.fingerprint import NEAR, fingerprints, near_duplicates, thin
from crossplay.populations.llm.live import asks
from crossplay.populations.population import Population, verify

MEASURED = "measured"
LIVE = "no best response is trained against a language model: it would be asked in every step"
UNIFORM = Card(name="uniform", maker={"kind": "uniform"}, family="named", lineage="named/uniform")


class Yard(NamedTuple):
    """Where and with whom it is measured."""

    population: Population
    root: Path
    game: Game
    held_out: tuple[Card, ...]
    seed: int  # the population's: the games are those of its board
    jobs: int
    tell: Tell

    def played(self, pairs: Sequence[tuple[Card, Card, int]], episodes: int) -> list[Returns]:
        """What matches (ego, partner, the ego's seat) paid, in this order; those that are missing are played."""
        make: Callable[..., Fixture] = partial(fixture, self.game, episodes=episodes, seed=self.seed)
        wanted = [make(ego, partner, seat=seat) for ego, partner, seat in pairs]
        place = self.root / MEASURED / "matches.sqlite"
        try:
            place.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise Refused(f"cannot measure in {self.root}: {error.strerror or error}") from None
        if wanted:
            play_missing(place, wanted, self.jobs, self.tell)
        with ResultStore(place) as store:
            found = store.load([one.pairing.key for one in wanted])
        return [found[one.pairing.key].returns for one in wanted]

    @property
    def training(self) -> dict[str, Any]:
        """The training settings the population was made with."""
        return dict(self.population.recipe.get("training", {}))

    def response(self, partner: Card, trainer: Trainer, device: str) -> Training:
        """The training of a best response to one partner, in all seats in turn."""
        name = f"br-{partner.name}"
        out = self.root / MEASURED / name
        return Training(name, "best_response", self.game, trainer, out, self.seed, (partner,), device=device)

    def write(self, **measured: Bounds | Diversity) -> Population:
        """The population's manifest with what was measured."""
        population = replace(self.population, **measured)  # type: ignore[arg-type]
        population.save(self.root)
        return population


class _Spot(NamedTuple):
    partner: Card
    seat: int  # the ego's
    low: Returns  # what uniform play was paid


def yard(root: Path, jobs: int, tell: Tell) -> Yard:
    """A population, re-hashed, and its game. Raises Refused where its recipe does not say what is played."""
    population = verify(root)
    root = root if root.is_dir() else root.parent
    if "game" not in population.recipe:
        raise Refused(f"population {population.name!r}: its recipe names no game, so nothing can be played")
    game: Game = from_table(GAMES, population.recipe["game"], f"population {population.name!r}")
    seed = int(population.recipe.get("seed", 0))
    return Yard(population, root, game, population.cards(root)[1], seed, jobs, tell)


def measure_bounds(
    root: Path, *, episodes: int, settings: Sequence[str] = (), device: str = "cpu", jobs: int, tell: Tell
) -> Population:
    """Trains a best response to every held-out partner, plays it and uniform play with it, and writes the bounds.

    `settings` are field=value over the population's training settings. What has been measured in just this way is
    kept; measured in another way, it is measured anew. Raises Refused for fewer than two episodes.
    """
    if episodes < 2:
        raise Refused(f"bounds need at least 2 episodes, to say how sure they are; given {episodes}")
    where = yard(root, jobs, tell)
    spots = [(card, seat) for card in where.held_out for seat in range(where.game.spec.seats)]
    low = where.played([(UNIFORM, card, seat) for card, seat in spots], episodes)
    trainer = trainer_on("best_response", where.game, {**_goal(low), **where.training}, settings)
    plan = Bounds(trainer=to_table(trainer), seed=where.seed, episodes=episodes)
    old = where.population.bounds
    kept = old.rows if old and replace(old, rows=()) == plan else ()
    known = {(row.partner, row.seat) for row in kept}
    all_spots = [_Spot(card, seat, paid) for (card, seat), paid in zip(spots, low, strict=True)]
    missing = [spot for spot in all_spots if (spot.partner.name, spot.seat) not in known]
    rows = [*kept, *_measured(where, trainer, missing, pick_device(device), episodes)]
    ordered = tuple(sorted(rows, key=lambda row: (row.partner, row.seat)))
    return where.write(bounds=replace(plan, rows=ordered))


def _goal(low: Sequence[Returns]) -> dict[str, str]:
    """What a best response is paid: the return that is scored, the mean over seats, where seats are not paid alike."""
    alike = all((paid.returns == paid.returns[:, :1]).all() for paid in low)
    return {} if alike else {"goal": "team"}


def _measured(where: Yard, trainer: Trainer, spots: Sequence[_Spot], device: str, episodes: int) -> list[Bound]:
    """Bounds for those whose uniform play is given: best responses trained together, then played."""
    live = {spot.partner.name for spot in spots if asks(spot.partner.maker)}
    taught = [spot.partner for spot in spots if spot.partner.name not in live]
    trainings = {partner.name: where.response(partner, trainer, device) for partner in taught}
    faults = dict.fromkeys(live, LIVE)  # by partner
    others: list[Refused] = []

    def refused(fault: Refused) -> None:
        if isinstance(fault, Diverged):
            faults.update({name.removeprefix("br-"): why for name, why in fault.faults.items()})
        else:
            others.append(fault)

    if trainings:
        make_cards("responses", list(trainings.values()), where.jobs, where.tell, refused)
    if others:
        raise others[0]
    egos = {name: training.done() for name, training in trainings.items()}
    pairs = [(ego, spot.partner, spot.seat) for spot in spots if (ego := egos.get(spot.partner.name))]
    high = iter(where.played(pairs, episodes))
    return [
        bound(who.name, who.digest, seat, low, next(high) if egos.get(who.name) else None, faults.get(who.name, ""))
        for who, seat, low in spots
    ]


def measure_diversity(root: Path, *, episodes: int, jobs: int, tell: Tell) -> Population:
    """Plays every held-out partner with every other and itself, compares what they do, and writes the report."""
    where = yard(root, jobs, tell)
    cards, count = where.held_out, len(where.held_out)
    if where.game.spec.seats < 2:
        raise Refused(f"{where.game.spec.name} has one seat: partners cannot meet in it")
    paid = where.played([(one, other, 0) for one in cards for other in cards], episodes)
    table = [paid[i * count : (i + 1) * count] for i in range(count)]
    returns = np.array([[mean_return(one) for one in row] for row in table])
    volume, rank = event_volume(event_means([[one.events for one in row] for row in table]))
    skills = [Skill(partner=card.name, digest=card.digest, itself=float(returns[i, i])) for i, card in enumerate(cards)]
    found = Diversity(
        seed=where.seed,
        episodes=episodes,
        effective_rank=effective_rank(returns),
        event_volume=volume,
        event_rank=rank,
        threshold=NEAR,
        near=near_duplicates(fingerprints(where.game, cards)),
        skills=tuple(sorted(skills, key=lambda skill: skill.partner)),
    )
    return where.write(diversity=found)


def thin_out(root: Path) -> tuple[Near, ...]:
    """Takes near-duplicates out of the held-out partners; who went and for whom is added to the recipe.

    What was measured of those that stay is kept, save the diversity, which was of others too.
    """
    where = yard(root, 1, lambda progress: None)
    stay, gone = thin(where.game, where.held_out)
    if gone:
        names = {card.name for card in stay}
        members = tuple(member for member in where.population.held_out if member.name in names)
        removed = [*where.population.recipe.get("removed", []), *map(to_table, gone)]
        bounds = where.population.bounds
        left = replace(
            where.population,
            recipe={**where.population.recipe, "removed": removed},
            held_out=members,
            bounds=bounds.of({member.name: member.digest for member in members}) if bounds else None,
            diversity=None,
        )
        left.save(where.root)
    return gone
