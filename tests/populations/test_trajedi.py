"""Partners of diverse trajectories as cards: one task, one lineage, the same after a kill, alone from one another."""

import pytest

from crossplay.agents.best_response import BestResponse
from crossplay.agents.ippo import IPPO
from crossplay.agents.objective import PPO
from crossplay.agents.trainer import Budget, train_one
from crossplay.populations.generator import generate
from crossplay.populations.self_play import SelfPlay
from crossplay.populations.trajedi import DiverseTrajectories
from tests.agents.echo import Echo

SMALL = IPPO(ppo=PPO(rollout=10, minibatches=2), budget=Budget(steps=800, games=8))


def made(out, **changes):
    plan = DiverseTrajectories(**{"trainer": SMALL, **changes})
    return {card.name: card for card in generate(plan, Echo(), out, seed=0)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return made(tmp_path_factory.mktemp("whole"))


def test_members_share_their_lineage(whole):
    assert list(whole) == ["trajedi-0", "trajedi-1", "trajedi-2"]
    assert {card.family for card in whole.values()} == {"trajedi"}
    assert {card.lineage for card in whole.values()} == {"test/echo-v1/trajedi-0+trajedi-1+trajedi-2/0"}
    assert {card.trained_with for card in whole.values()} == {()}, "they never met at a table"


def test_without_a_price_they_are_self_play_partners_of_the_same_names(tmp_path):
    mine = made(tmp_path / "mine", alpha=0.0)
    theirs = generate(SelfPlay(name="trajedi", trainer=SMALL), Echo(), tmp_path / "sp", seed=0)
    assert [mine[card.name].digest for card in theirs] == [card.digest for card in theirs]


@pytest.mark.parametrize("changes", [{"alpha": 2.0}, {"gamma": 0.9}, {"seeds": 2}])
def test_the_recipe_names_all_that_matters(changes, whole, tmp_path):
    other = made(tmp_path, **changes)["trajedi-0"]
    assert other.digest != whole["trajedi-0"].digest
    assert other.record["recipe"] != whole["trajedi-0"].record["recipe"]


def test_killed_between_two_cards_all_are_made_again_and_equal(whole, tmp_path, monkeypatch):
    made(tmp_path)
    (tmp_path / "trajedi-1" / "card.toml").unlink()
    again = made(tmp_path)
    assert {name: card.digest for name, card in again.items()} == {name: card.digest for name, card in whole.items()}
    monkeypatch.setattr("crossplay.populations.generator.teach", lambda *_: pytest.fail("taught again"))
    assert list(made(tmp_path)) == list(whole)


def test_their_common_best_response_is_that_trainer(whole):
    partners = [card.policy(Echo()) for card in whole.values()]
    ego = BestResponse(ppo=SMALL.ppo, budget=SMALL.budget)
    assert train_one(ego, Echo(), partners, seed=0).shared
