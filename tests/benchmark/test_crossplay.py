"""The cross-play engine: what is played does not depend on who else plays, in which batch, or in how many processes."""

import numpy as np
import pytest

from crossplay.benchmark.card import Card
from crossplay.benchmark.config import canonical, sha256, to_table
from crossplay.benchmark.crossplay import fixture, play_batch, play_fixtures
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.match import Table, match_seeds, play_tables
from crossplay.benchmark.pairing import Pairing
from crossplay.benchmark.seeding import derive, spread

GAME = CollabGrid()


def named(name, **maker):
    return Card(name=name, maker={"kind": "uniform", **maker}, family="test", lineage=name)


def fixtures(egos, partners, episodes=5):
    return [
        fixture(GAME, ego, partner, seat=seat, episodes=episodes, seed=7)
        for ego in egos
        for partner in partners
        for seat in range(2)
    ]


ANN, BOB, CAT = named("ann"), named("bob"), named("cat", kind="constant", action=2)


def outcome(results):
    return {r.pairing.key: [array.tolist() for array in r.returns] for r in results}


def test_results_do_not_depend_on_batches_order_or_company():
    everything = fixtures([ANN, BOB], [ANN, BOB, CAT])
    whole = outcome(play_fixtures(everything))
    assert len(whole) == 12
    assert outcome(play_fixtures(everything[::-1], episodes_a_batch=10)) == whole
    alone = outcome(play_fixtures(everything[3:4]))
    assert alone.items() <= whole.items()


def test_results_do_not_depend_on_the_number_of_processes():
    some = fixtures([ANN], [BOB, CAT])
    assert outcome(play_fixtures(some, jobs=2, episodes_a_batch=5)) == outcome(play_fixtures(some))


def test_a_fixture_is_the_match_its_names_seed():
    result = play_batch(fixtures([ANN], [CAT])[1:2])[0]
    luck, ego, partner = match_seeds(7, GAME.spec.name, "ann", "cat", 1)
    seeds = [spread(derive(partner, 0), 5), spread(ego, 5)]
    again = play_tables(GAME, [Table([CAT.policy(GAME), ANN.policy(GAME)], spread(luck, 5), seeds)])[0]
    assert np.array_equal(result.returns.returns, again.returns)
    assert result.pairing.seat == 1


def test_all_egos_meet_the_same_game_luck():
    assert match_seeds(7, "g", "ann", "cat", 0)[0] == match_seeds(7, "g", "bob", "cat", 0)[0]
    assert match_seeds(7, "g", "ann", "cat", 0)[1:] != match_seeds(7, "g", "bob", "cat", 0)[1:]


def test_the_key_is_the_hash_of_the_canonical_table():
    texts = ("game", "game_digest", "ego", "ego_digest", "partner", "partner_digest")
    values = zip(texts, ('ünï "quoted" \\ \n', "", "a", "b", "c", "d"), strict=True)
    one = Pairing(**dict(values), seat=1, episodes=3, seed=-(2**63), harness=7)
    assert one.key == sha256(canonical(to_table(one)))


def test_the_key_covers_every_field():
    base = {
        "game": "g",
        "game_digest": "1",
        "ego": "a",
        "ego_digest": "2",
        "partner": "b",
        "partner_digest": "3",
        "seat": 0,
        "episodes": 4,
        "seed": 5,
        "harness": 1,
    }
    keys = {Pairing(**base).key}
    for name, value in base.items():
        keys.add(Pairing(**{**base, name: value + 1 if isinstance(value, int) else value + "x"}).key)
    assert len(keys) == 11


def test_a_refused_fixture_does_not_cost_the_others_their_results():
    bad = named("bad", kind="constant", action=99)
    played = []
    with pytest.raises(Refused, match="action 99 given"):
        played.extend(play_fixtures(fixtures([ANN, bad], [BOB])))
    results = []
    try:
        for result in play_fixtures(fixtures([ANN, bad, CAT], [BOB])):
            results.append(result)
    except Refused:
        pass
    assert {r.pairing.ego for r in results} == {"ann", "cat"}


@pytest.mark.parametrize("jobs", [0, -1])
def test_jobs_have_to_be_positive(jobs):
    with pytest.raises(Refused, match="jobs must be at least 1"):
        list(play_fixtures(fixtures([ANN], [BOB]), jobs=jobs))


def test_a_seat_the_game_lacks_is_refused():
    with pytest.raises(Refused, match="seats 0 to 1; given 2"):
        fixture(GAME, ANN, BOB, seat=2, episodes=1, seed=0)
