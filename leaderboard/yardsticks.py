"""Measuring a population: the bounds of its held-out partners, and how unlike each other they are.

Best responses and matches lie beside the manifest, in `measured`; so done work is never done again, and what was
measured can be recomputed from what every episode paid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from crossplay.agents.divergence import Diverged
from crossplay.agents.trainer import TRAINERS, Trainer
from crossplay.agents.training import Training, pick_device
from crossplay.benchmark.card import Card
from crossplay.benchmark.config import from_table, to_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.match import HARNESS, Returns
from crossplay.benchmark.seeding import derive
from crossplay.leaderboard.measures import mean_return
from crossplay.leaderboard.suite import trainer_on
from crossplay.leaderboard.work import Tell, make_cards
from crossplay.leaderboard.yard import Yard, yard
from crossplay.populations.bounds import Bound, Bounds, bound
from crossplay.populations.diversity import Diversity, Near, Skill, effective_rank, event_means, event_volume
from crossplay.populations.fingerprint import NEAR, fingerprints, near_duplicates, thin
from crossplay.populations.llm.live import asks
from crossplay.populations.population import Population

LIVE = "no best response is trained against a language model: it would be asked in every step"
AUDITIONS = 32  # episodes
UNIFORM = Card(name="uniform", maker={"kind": "uniform"}, family="named", lineage="named/uniform")


class _Spot(NamedTuple):
    partner: Card
    seat: int  # the ego's
    low: Returns  # what uniform play was paid

    @property
    def place(self) -> tuple[str, int]:
        return self.partner.name, self.seat


def measure_bounds(
    root: Path, *, episodes: int, settings: Sequence[str] = (), device: str = "cpu", jobs: int, tell: Tell
) -> Population:
    """Trains a best response to every held-out partner, plays it and uniform play with it, and writes the bounds.

    The best response is whoever earns most in games of their own, the trained one or a held-out partner: nobody is held
    to less than what is known to be possible. `settings` are field=value over the population's training settings. What
    has been measured in just this way is kept; measured in another way, it is measured anew. Raises Refused for fewer
    than two episodes.
    """
    where = yard(root, jobs, tell)
    plan = _plan(where, settings, episodes)
    old = where.population.bounds
    return _completed(where, plan, old.rows if old and replace(old, rows=()) == plan else (), device)


def complete_bounds(root: Path, *, episodes: int, device: str = "cpu", jobs: int, tell: Tell) -> Population:
    """Measures the bounds that are missing as those that are there were; where none are, as `measure_bounds`."""
    where = yard(root, jobs, tell)
    old = where.population.bounds
    if old is None or old.harness != HARNESS:
        return _completed(where, _plan(where, (), episodes), (), device)
    return _completed(where, replace(old, rows=()), old.rows, device)


def _completed(where: Yard, plan: Bounds, kept: Sequence[Bound], device: str) -> Population:
    known = {(row.partner, row.seat) for row in kept}
    missing = [(card, seat) for card, seat in where.spots if (card.name, seat) not in known]
    low = where.played([(UNIFORM, *spot) for spot in missing], plan.episodes)
    spots = [_Spot(*spot, paid) for spot, paid in zip(missing, low, strict=True)]
    rows = [*kept, *_measured(where, plan, spots, pick_device(device))]
    ordered = tuple(sorted(rows, key=lambda row: (row.partner, row.seat)))
    return where.write(bounds=replace(plan, rows=ordered))


def _plan(where: Yard, settings: Sequence[str], episodes: int) -> Bounds:
    if episodes < 2:
        raise Refused(f"bounds need at least 2 episodes, to say how sure they are; given {episodes}")
    low = where.played([(UNIFORM, *spot) for spot in where.spots], episodes)
    trainer = trainer_on("best_response", where.game, {**_goal(low), **where.training}, settings)
    return Bounds(trainer=to_table(trainer), seed=where.seed, episodes=episodes, auditions=AUDITIONS)


def _goal(low: Sequence[Returns]) -> dict[str, str]:
    """What a best response is paid: the return that is scored, the mean over seats, where seats are not paid alike."""
    alike = all((paid.returns == paid.returns[:, :1]).all() for paid in low)
    return {} if alike else {"goal": "team"}


def _measured(where: Yard, plan: Bounds, spots: Sequence[_Spot], device: str) -> list[Bound]:
    """Bounds for those whose uniform play is given: best responses trained together, auditioned, then played."""
    taught = {spot.partner.name: spot.partner for spot in spots if not asks(spot.partner.maker)}
    trainer: Trainer = from_table(TRAINERS, plan.trainer, "best responses")
    trained, faults = _trained(where, {name: where.response(one, trainer, device) for name, one in taught.items()})
    best = _best(where, [spot for spot in spots if spot.partner.name in taught], trained, plan.auditions)
    pairs = [(best[spot.place], spot.partner, spot.seat) for spot in spots if spot.place in best]
    high = dict(zip(best, where.played(pairs, plan.episodes), strict=True))
    faults |= {spot.partner.name: LIVE for spot in spots if spot.partner.name not in taught}
    held_out = {card.name for card in where.held_out}
    by = {place: ego.name for place, ego in best.items() if ego.name in held_out}
    return [bound(*spot, high.get(spot.place), by.get(spot.place), faults.get(spot.partner.name, "")) for spot in spots]


def _trained(where: Yard, trainings: Mapping[str, Training]) -> tuple[dict[str, Card], dict[str, str]]:
    """By partner: the best responses, and why there is none."""
    faults: dict[str, str] = {}
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
    return {name: card for name, training in trainings.items() if (card := training.done())}, faults


def _best(
    where: Yard, spots: Sequence[_Spot], trained: Mapping[str, Card], auditions: int | None
) -> dict[tuple[str, int], Card]:
    """Who earns most with each partner in each seat, in games of their own, so that being chosen flatters nobody."""
    others = [card for card in where.held_out if not asks(card.maker)] if auditions else []
    tries = [
        (ego, spot.partner, spot.seat)
        for spot in spots
        for ego in filter(None, [trained.get(spot.partner.name), *others])
    ]
    if not auditions:
        return {(partner.name, seat): ego for ego, partner, seat in tries}
    best: dict[tuple[str, int], tuple[float, Card]] = {}
    paid = where.played(tries, auditions, derive(where.seed, "auditions"))
    for (ego, partner, seat), value in zip(tries, map(mean_return, paid), strict=True):
        if value > best.get((partner.name, seat), (-np.inf,))[0]:
            best[partner.name, seat] = value, ego
    return {spot: ego for spot, (_, ego) in best.items()}


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
