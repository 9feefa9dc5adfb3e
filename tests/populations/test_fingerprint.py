"""Fingerprints: equal agents are at distance 0 up to luck, others as far as they act differently."""

import numpy as np
import pytest

from crossplay.agents.ippo import IPPO
from crossplay.agents.objective import PPO
from crossplay.agents.trainer import Budget
from crossplay.agents.training import Training
from crossplay.benchmark.card import Card
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.populations.fingerprint import (
    DRAWS,
    NEAR,
    Fingerprint,
    copies,
    distance,
    fingerprints,
    near_duplicates,
    thin,
)

GAME = CollabGrid(horizon=20)
WORKER = {"kind": "collab-grid-worker"}


def card(name, **maker):
    return Card(name=name, maker=maker, family="f", lineage=name)


def named(*names):
    makers = {
        "uniform": {"kind": "uniform"},
        "still": {"kind": "constant", "action": 0},
        "left": {"kind": "constant", "action": 1},
        "worker": WORKER,
        "steady": {"kind": "noisy", "epsilon": 0.0, "maker": WORKER},
        "trembling": {"kind": "noisy", "epsilon": 0.2, "maker": WORKER},
    }
    return [card(name, **makers[name]) for name in names]


def between(one, other, seed=0, other_seed=1):
    (a,), (b,) = fingerprints(GAME, named(one), seed), fingerprints(GAME, named(other), other_seed)
    return distance(a, b)


def test_the_distance_is_the_squared_one_between_the_odds_without_bias():
    """Against the definition, with the odds known and the draws made here."""
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(5), size=40_000), rng.dirichlet(np.ones(5), size=40_000)

    def drawn(odds):
        counts = np.array([rng.multinomial(DRAWS, row) for row in odds])
        return Fingerprint("x", (counts / DRAWS).astype(np.float32))

    assert distance(drawn(p), drawn(q)) == pytest.approx(0.5 * ((p - q) ** 2).sum(axis=1).mean(), abs=0.003)
    assert distance(drawn(p), drawn(p)) == pytest.approx(0, abs=0.003)


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ("still", "left", 1.0),
        ("uniform", "uniform", 0.0),
        ("worker", "worker", 0.0),
        ("worker", "steady", 0.0),
        ("still", "uniform", 0.5 * (0.8**2 + 4 * 0.2**2)),  # five actions
        ("worker", "trembling", 0.2**2 * 0.5 * (0.8**2 + 4 * 0.2**2)),  # a fifth of the time uniform
    ],
)
def test_distances_of_rules_are_those_found_by_hand(one, other, wanted):
    assert between(one, other) == pytest.approx(wanted, abs=NEAR)


def test_fingerprints_do_not_depend_on_who_else_is_looked_at():
    alone = [fingerprints(GAME, [each])[0].shares for each in named("worker", "uniform")]
    together = fingerprints(GAME, named("uniform", "still", "worker"))
    assert np.array_equal(together[2].shares, alone[0])
    assert np.array_equal(together[0].shares, alone[1])


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    """Two seeds of one training, and the first under another name."""
    root, trainer = (
        tmp_path_factory.mktemp("seeds"),
        IPPO(ppo=PPO(rollout=20, entropy=0.1), budget=Budget(steps=16_000, games=8)),
    )
    ann, bob = (Training(n, "f", GAME, trainer, root / n, 0).run() for n in ("ann", "bob"))
    return ann, bob, Card(**{**ann.__dict__, "name": "anna"})


def test_two_seeds_are_further_apart_than_one_from_itself(seeds):
    ann, bob, anna = fingerprints(GAME, seeds)
    assert abs(distance(ann, anna)) < NEAR < distance(ann, bob)


def test_copies_of_held_out_partners_are_found_whatever_they_are_called(seeds):
    ann, bob, anna = seeds
    assert [(near.one, near.other) for near in copies(GAME, [anna, bob], [ann, *named("worker")])] == [("anna", "ann")]
    assert copies(GAME, [bob], [ann]) == ()
    assert [(n.one, n.other) for n in copies(GAME, named("steady"), named("still", "worker"))] == [("steady", "worker")]


def test_near_duplicates_are_pairs_and_thinning_keeps_the_first_name_in_any_order():
    cards = named("worker", "uniform", "steady")
    assert [(near.one, near.other) for near in near_duplicates(fingerprints(GAME, cards))] == [("worker", "steady")]
    stay, gone = thin(GAME, cards)
    assert [each.name for each in stay] == ["uniform", "steady"]
    assert [(near.one, near.other) for near in gone] == [("worker", "steady")]
    again, same = thin(GAME, cards[::-1])
    assert [each.name for each in again] == ["steady", "uniform"]
    assert same == gone


def test_a_card_for_another_game_is_refused():
    other = Card(name="x", maker={"kind": "uniform"}, family="f", lineage="x", game="other-v1")
    with pytest.raises(Refused, match="made for other-v1"):
        fingerprints(GAME, [other])
