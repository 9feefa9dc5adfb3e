"""Hidden-utility partners as cards: the choice among them, the same again, and no population of the hopeless."""

import numpy as np
import pytest

from crossplay.agents.ippo import IPPO
from crossplay.agents.objective import PPO
from crossplay.agents.trainer import Budget
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.match import play
from crossplay.populations.generator import generate
from crossplay.populations.hsp import HiddenUtilityPopulation, happening, most_unlike
from tests.agents.echo import Echo

SMALL = IPPO(ppo=PPO(rollout=5, minibatches=2), budget=Budget(steps=4_000, games=8))
PLAN = HiddenUtilityPopulation(seeds=4, keep=2, weights=(-10.0, 10.0), reward=0.0, trainer=SMALL)


def test_the_most_unlike_are_kept_by_hand():
    """By shares of the largest counts: (0, 0), (1, 0), (1, 1), (.9, .9); 0 and 2 differ by 2, 1 from both by 1."""
    counts = np.array([[0, 0, 5], [10, 0, 5], [10, 4, 5], [9, 3.6, 5], [0, 0, 5]])
    assert most_unlike(counts, 2) == [0, 2]
    assert most_unlike(counts, 3) == [0, 2, 1]
    assert sorted(most_unlike(counts, 5)) == [0, 1, 2, 3, 4]
    assert most_unlike(counts[:1], 1) == [0]


def test_the_choice_is_greedy_as_in_a_slow_reference():
    counts = np.random.default_rng(0).random((9, 5))
    scale = [max(counts[i][k] for i in range(9)) for k in range(5)]

    def apart(i, j):
        return sum(abs(counts[i][k] - counts[j][k]) / scale[k] for k in range(5))

    chosen = list(max(((i, j) for i in range(9) for j in range(i + 1, 9)), key=lambda two: apart(*two)))
    while len(chosen) < 5:
        chosen.append(max(set(range(9)) - set(chosen), key=lambda i: sum(apart(i, j) for j in chosen)))
    assert most_unlike(counts, 5) == chosen


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    return out, generate(PLAN, Echo(), out, seed=0)


def test_partners_of_opposite_wishes_are_kept(whole):
    """With one event there are two wishes; the two that are kept are one of each, and play all seats by them."""
    cards = whole[1]
    assert {card.family for card in cards} == {"hsp"}
    assert sorted(card.record["wish"]["right"] for card in cards) == [-10.0, 10.0]
    assert len({card.lineage for card in cards}) == 2
    hates, likes = (c.record["earned"] for c in sorted(cards, key=lambda c: c.record["wish"]["right"]))
    assert hates < 3 < 4 < likes, "what pairs earn is told of every partner: here the mean of both seats"
    for card in cards:
        policy = card.policy(Echo())
        found = play(Echo(), [policy, policy], episodes=100, game_seed=0, policy_seeds=[0, 1]).returns.mean(axis=0)
        assert (found > 4).all() if card.record["wish"]["right"] > 0 else (found < 1).all()


def test_again_nothing_is_trained(whole, monkeypatch):
    out, cards = whole
    monkeypatch.setattr("crossplay.populations.hsp.teach", lambda *_: pytest.fail("taught again"))
    assert [card.digest for card in generate(PLAN, Echo(), out, seed=0)] == [card.digest for card in cards]


def test_only_what_happens_can_be_wished_for():
    found = happening(Overcooked())
    assert {"onion_pickup", "soup_delivery", "idle"} <= set(found)
    assert not [event for event in found if "tomato" in event]


def test_a_population_of_the_hopeless_is_refused(tmp_path):
    """In two steps of a kitchen nothing can be earned, whoever plays."""
    plan = HiddenUtilityPopulation(seeds=2, keep=1, trainer=IPPO(ppo=PPO(rollout=2), budget=Budget(steps=32, games=8)))
    with pytest.raises(
        Refused, match="nothing can be earned with any of 2 partners: pairs return 0, 0, uniform play 0"
    ):
        generate(plan, Overcooked(horizon=2), tmp_path, seed=0)
    with pytest.raises(Refused, match="keep = 3 of seeds = 2 given"):
        HiddenUtilityPopulation(seeds=2, keep=3).tasks(Echo(), tmp_path, seed=0, device="cpu")
