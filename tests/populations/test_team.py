"""Populations of members that cannot play together: cards of one lineage, made once; and what makes them unlike."""

import pytest

from crossplay.agents.ippo import IPPO
from crossplay.agents.objective import PPO
from crossplay.agents.trainer import Budget
from crossplay.benchmark.card import load_card
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.matrix import Matrix
from crossplay.benchmark.match import play
from crossplay.populations.brdiv import BestResponseDiversity
from crossplay.populations.generator import generate
from crossplay.populations.lipo import IncompatiblePopulation
from crossplay.populations.self_play import SelfPlay

AGREE = Matrix(game="custom", payoffs=((1.0, 0.0), (0.0, 1.0)))
SMALL = IPPO(ppo=PPO(rollout=5, learning_rate=3e-3), budget=Budget(steps=6_000, games=16))
PLANS = {"lipo": IncompatiblePopulation(seeds=2, trainer=SMALL), "brdiv": BestResponseDiversity(seeds=2, trainer=SMALL)}
TWINS = 3  # a seed with which two self-play agents happen to find the same convention


def earned(cards):
    """(with itself, with itself, together) of two partners."""
    one, two = (card.policy(AGREE) for card in cards)

    def paid(a, b):
        return play(AGREE, [a, b], episodes=200, game_seed=0, policy_seeds=[1, 2]).returns.mean()

    return paid(one, one), paid(two, two), paid(one, two)


def test_self_play_may_make_the_same_partner_twice(tmp_path):
    assert min(earned(generate(SelfPlay(seeds=2, trainer=SMALL), AGREE, tmp_path, seed=TWINS))) > 0.95


@pytest.fixture(scope="module", params=PLANS)
def made(request, tmp_path_factory):
    out = tmp_path_factory.mktemp(request.param)
    return request.param, out, generate(PLANS[request.param], AGREE, out, seed=TWINS)


def test_members_get_on_with_themselves_alone(made):
    one, two, together = earned(made[2])
    assert min(one, two) > 0.95
    assert together < 0.05


def test_members_are_cards_of_one_lineage(made):
    kind, _, cards = made
    assert [card.name for card in cards] == [f"{kind}-0", f"{kind}-1"]
    assert {card.family for card in cards} == {kind}
    assert len({card.lineage for card in cards}) == 1
    assert not any(card.trained_with for card in cards)


def test_again_nothing_is_trained(made, monkeypatch):
    kind, out, cards = made
    monkeypatch.setattr("crossplay.agents.training.teach", lambda *_: pytest.fail("taught again"))
    assert [card.digest for card in generate(PLANS[kind], AGREE, out, seed=TWINS)] == [card.digest for card in cards]


def test_a_team_itself_plays_nowhere(made):
    kind, out, _ = made
    if kind == "brdiv":
        with pytest.raises(Refused, match="a team of 4 plays nobody's seat"):
            load_card(out / "brdiv-team").policy(AGREE)
