"""A population of conventions: names, what they declare, and that a stop between two of them changes nothing."""

import shutil

import pytest

from crossplay.agents.ippo import IPPO
from crossplay.agents.objective import PPO
from crossplay.agents.trainer import Budget
from crossplay.populations.comedi import DiverseConventions
from crossplay.populations.generator import generate
from crossplay.populations.self_play import SelfPlay
from tests.agents.echo import Echo

SMALL = IPPO(ppo=PPO(rollout=5, minibatches=2), budget=Budget(steps=320, games=8))


def made(out, **changes):
    generator = DiverseConventions(**{"seeds": 3, "trainer": SMALL, **changes})
    return {card.name: card for card in generate(generator, Echo(), out, seed=0)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return made(tmp_path_factory.mktemp("whole"))


def test_they_are_of_one_lineage_and_declare_whom_they_avoid(whole):
    assert list(whole) == ["comedi-0", "comedi-1", "comedi-2"]
    assert {card.lineage for card in whole.values()} == {"test/echo-v1/comedi/0"}
    digests = [card.digest for card in whole.values()]
    assert [card.trained_with for card in whole.values()] == [(), tuple(digests[:1]), tuple(digests[:2])]
    assert len(set(digests)) == 3


def test_the_first_is_self_play(whole, tmp_path):
    (alone,) = generate(SelfPlay(name="comedi", seeds=1, trainer=SMALL), Echo(), tmp_path, seed=0)
    assert alone.digest == whole["comedi-0"].digest


def test_more_of_them_leave_the_first_as_they_are(whole, tmp_path):
    more = made(tmp_path, seeds=4)
    assert [more[name].digest for name in whole] == [card.digest for card in whole.values()]
    assert {card.lineage for card in more.values()} == {card.lineage for card in whole.values()}


@pytest.mark.parametrize("changes", [{"alpha": 2.0}, {"beta": 2.0}])
def test_the_recipe_names_all_that_matters(changes, whole, tmp_path):
    other = made(tmp_path, **changes)["comedi-1"]
    assert other.digest != whole["comedi-1"].digest
    assert other.record["recipe"] != whole["comedi-1"].record["recipe"]


def test_killed_between_two_cards_only_what_is_missing_is_made(whole, tmp_path):
    made(tmp_path)
    shutil.rmtree(tmp_path / "comedi-2")
    before = (tmp_path / "comedi-1" / "card.toml").stat().st_mtime_ns
    again = made(tmp_path)
    assert {name: card.digest for name, card in again.items()} == {name: card.digest for name, card in whole.items()}
    assert (tmp_path / "comedi-1" / "card.toml").stat().st_mtime_ns == before
