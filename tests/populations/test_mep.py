"""Maximum-entropy partners as cards: one task, one lineage, the same after a kill at any moment."""

import pytest

from crossplay.agents import learning, training
from crossplay.agents.ippo import IPPO
from crossplay.agents.objective import PPO
from crossplay.agents.trainer import Budget
from crossplay.benchmark.card import load_card
from crossplay.benchmark.errors import Refused
from crossplay.populations.generator import bundles, generate
from crossplay.populations.mep import MaximumEntropyPopulation
from crossplay.populations.population import assemble
from crossplay.populations.self_play import SelfPlay
from tests.agents.echo import Echo

SMALL = IPPO(ppo=PPO(rollout=5, minibatches=2), budget=Budget(steps=800, games=8))
NAMES = [f"mep-{i}-{stage}" for i in range(3) for stage in ("first", "half", "last")]


def plan(**changes):
    return MaximumEntropyPopulation(**{"alpha": 0.1, "trainer": SMALL, **changes})


def made(out, seed=0, **changes):
    return {card.name: card for card in generate(plan(**changes), Echo(), out, seed=seed)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return made(tmp_path_factory.mktemp("whole"))


def digests(cards):
    return {name: card.digest for name, card in cards.items()}


def test_members_share_their_lineage_and_their_task(whole, tmp_path):
    assert list(whole) == NAMES
    assert {card.lineage for card in whole.values()} == {"test/echo-v1/mep-0+mep-1+mep-2/0"}
    assert {card.trained_with for card in whole.values()} == {()}, "they never met at a table"
    trainer = whole["mep-0-last"].record["trainer"]
    assert (trainer["kind"], trainer["alpha"], trainer["members"]) == ("mep", 0.1, 3)
    assert bundles(plan().tasks(Echo(), tmp_path, seed=0, device="cpu"), jobs=8) == [[0]]
    with pytest.raises(Refused, match="is both trained with and held out"):
        assemble("p", "g", whole["mep-0-last"].root.parent, [whole["mep-0-last"]], [whole["mep-1-last"]], {})


def test_without_a_bonus_they_are_self_play_partners_of_the_same_names(tmp_path):
    mine = made(tmp_path / "mep", alpha=0.0)
    theirs = generate(SelfPlay(name="mep", trainer=SMALL), Echo(), tmp_path / "sp", seed=0)
    assert [mine[f"{card.name}-last"].digest for card in theirs] == [card.digest for card in theirs]


@pytest.mark.parametrize("changes", [{"alpha": 0.0}, {"seeds": 2}, {"name": "rare"}])
def test_whoever_they_were_trained_beside_is_part_of_the_recipe(changes, whole, tmp_path):
    others = made(tmp_path, **changes)
    first = f"{changes.get('name', 'mep')}-0-last"
    assert others[first].digest != whole["mep-0-last"].digest
    assert others[first].record["recipe"] != whole["mep-0-last"].record["recipe"]


def test_an_interrupted_population_is_the_same_population(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)
    (task,) = plan().tasks(Echo(), tmp_path, seed=0, device="cpu")

    def stop(update):
        task.members[0].watch(update)
        if update.steps >= 400:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.teach([member.training for member in task.members], [stop, *(m.watch for m in task.members[1:])])
    assert len(list(tmp_path.rglob("*.training"))) == 1, "one file for all"
    monkeypatch.setattr(learning, "_begin", begun := Begun())
    again = made(tmp_path)
    assert begun.steps == [360], "they went on from it"
    assert digests(again) == digests(whole)
    curves = [load_card(card.root.with_name("mep-2")).record["curve"] for card in (again[NAMES[0]], whole[NAMES[0]])]
    assert curves[0] == curves[1]
    assert not [*tmp_path.rglob("*.training"), *tmp_path.rglob("*.curve")]


class Begun:
    """Notes where trainings begin."""

    def __init__(self):
        self.steps, self._begin = [], learning._begin

    def __call__(self, *args):
        found = self._begin(*args)
        self.steps.append(found.steps)
        return found


def test_killed_between_two_cards_all_are_made_again_and_equal(whole, tmp_path):
    made(tmp_path)
    (tmp_path / "mep-1" / "card.toml").unlink()
    (tmp_path / "mep-2-half" / "card.toml").unlink()
    assert digests(made(tmp_path)) == digests(whole)
