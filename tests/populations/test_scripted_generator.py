"""The scripted generator's cards, its standard lists, and the trembling hand that goes with any policy."""

import numpy as np
import pytest

from crossplay.benchmark.card import load_card
from crossplay.benchmark.check import check_policy
from crossplay.benchmark.config import from_table, to_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Observation
from crossplay.benchmark.games import Carry, CollabGrid, Matrix, Overcooked
from crossplay.benchmark.games.overcooked.layouts import CLASSIC_FIVE
from crossplay.benchmark.match import play
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import spread
from crossplay.populations.generator import GENERATORS, generate
from crossplay.populations.scripted.generator import Scripted, standard

GAMES = [*(Overcooked(layout=layout) for layout in CLASSIC_FIVE), Carry(), Carry(heavy=True), CollabGrid(), Matrix()]
COMPETENT = {
    "greedy",
    "keeps-left",
    "keeps-right",
    "hoarder",
    "sporadic",
    "sticky",
    "trembling",
    "late-starter",
    "one-pot",
}


def scripted(**fields):
    return from_table(GENERATORS, {"kind": "scripted", **fields})


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.spec.name)
def test_cards_are_whole_distinct_and_playable(game, tmp_path):
    cards = generate(scripted(), game, tmp_path, seed=0)
    assert [load_card(tmp_path / card.name) for card in cards] == cards
    assert len({card.digest for card in cards}) == len({card.name for card in cards}) == len(cards) >= 3
    for card in cards:
        assert (card.family, card.lineage) == ("scripted", f"scripted/{card.name}")
        assert (card.files, card.trained_with, card.game) == ({}, (), game.spec.name)
        assert check_policy(card.policy(game), game, seat=1, episodes=2) == []


def test_cards_do_not_depend_on_the_seed(tmp_path):
    one, two = (generate(scripted(), CollabGrid(), tmp_path / str(seed), seed=seed) for seed in (1, 2))
    assert [card.digest for card in one] == [card.digest for card in two]


@pytest.mark.parametrize("layout", CLASSIC_FIVE)
def test_the_standard_cooks_are_many_and_mostly_competent(layout):
    names = [partner.name for partner in standard(Overcooked(layout=layout))]
    assert 10 <= len(names) <= 13
    assert len(COMPETENT & set(names)) >= len(names) / 2
    assert ("onion-only" in names) == (layout != "forced_coordination")
    assert ("keeps-left" in names) == (layout != "forced_coordination")
    assert ("one-pot" in names) == (layout != "cramped_room")


@pytest.mark.parametrize("layout", CLASSIC_FIVE)
def test_somebody_gets_soups_out_of_every_standard_cook_in_both_seats(layout):
    """Else its bounds would coincide and no score could be had against it."""
    game = Overcooked(layout=layout)
    helper = from_table(POLICIES, {"kind": "overcooked-greedy"}).make(game, None)
    for partner in standard(game):
        cook = from_table(POLICIES, partner.maker).make(game, None)
        for pair in ((cook, helper), (helper, cook)):
            assert play(game, pair, episodes=5, game_seed=1, policy_seeds=[2, 3]).returns.min() >= 40, partner.name


def test_an_own_list_replaces_the_standard_one(tmp_path):
    partners = [
        {"name": "first", "maker": {"kind": "constant", "action": 1}},
        {"name": "any", "maker": {"kind": "uniform"}},
    ]
    generator = scripted(family="rules", partners=partners)
    cards = generate(generator, Matrix(), tmp_path, seed=0)
    assert [(card.name, card.family, card.lineage) for card in cards] == [
        ("first", "rules", "rules/first"),
        ("any", "rules", "rules/any"),
    ]
    assert cards[0].maker == {"kind": "constant", "action": 1}
    assert from_table(GENERATORS, to_table(generator)) == generator


@pytest.mark.parametrize(
    ("partner", "words"),
    [
        ({"name": "a", "maker": {"kind": "overcooked-gredy"}}, "did you mean 'overcooked-greedy'"),
        ({"name": "a", "maker": {"kind": "collab-grid-worker"}}, "plays collab-grid only"),
        ({"name": "a", "maker": {"kind": "overcooked-lazy", "step": 3}}, "did you mean 'steps'"),
    ],
)
def test_partners_that_do_not_fit_are_refused_before_anything_is_written(partner, words, tmp_path):
    good = {"name": "good", "maker": {"kind": "uniform"}}
    with pytest.raises(Refused, match=words):
        generate(scripted(partners=[good, partner]), Overcooked(), tmp_path, seed=0)
    assert list(tmp_path.iterdir()) == []


def test_names_given_twice_are_refused(tmp_path):
    twice = {"name": "a", "maker": {"kind": "uniform"}}
    with pytest.raises(Refused, match="the partner names a are given twice"):
        Scripted(partners=(twice, twice)).tasks(Matrix(), tmp_path, seed=0, device="cpu")


def tremble(epsilon, episodes=4000):
    """First and second actions of a trembling constant in a game of two actions."""
    maker = {"kind": "noisy", "epsilon": epsilon, "maker": {"kind": "constant", "action": 0}}
    actor = from_table(POLICIES, maker).make(Matrix(), None)
    size = (episodes, *Matrix().spec.views[actor.view])
    seen = Observation(np.zeros(size, np.float32), np.ones((episodes, 2), dtype=bool))
    one, memory = actor.act(seen, actor.begin(spread(3, episodes), 0))
    return one, actor.act(seen, memory)[0]


def test_noisy_trembles_as_often_as_told():
    for epsilon in (0.0, 0.2, 1.0):
        one, two = tremble(epsilon)
        spreads = 4 * np.sqrt(epsilon / 2 * (1 - epsilon / 2) / len(one))
        assert abs((one != 0).mean() - epsilon / 2) <= spreads
        assert epsilon == 0 or (one != two).any()


def test_noisy_without_noise_is_the_policy_itself():
    game = Overcooked()
    maker = {"kind": "overcooked-sticky", "q": 0.4}
    plain, still, shaky = (
        from_table(POLICIES, table).make(game, None)
        for table in (
            maker,
            {"kind": "noisy", "epsilon": 0.0, "maker": maker},
            {"kind": "noisy", "epsilon": 0.5, "maker": maker},
        )
    )
    found = [play(game, (p, p), episodes=10, game_seed=1, policy_seeds=[2, 3]) for p in (plain, still, shaky)]
    np.testing.assert_array_equal(found[0].events, found[1].events)
    assert found[2].returns.mean() < found[0].returns.mean()


def test_noisy_names_the_fault_inside():
    with pytest.raises(Refused, match="did you mean 'uniform'"):
        from_table(POLICIES, {"kind": "noisy", "maker": {"kind": "unform"}}).make(Matrix(), None)
