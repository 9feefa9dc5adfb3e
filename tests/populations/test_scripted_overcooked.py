"""Rule partners of Overcooked: what pairs of them deliver, and what their knobs do."""

import numpy as np
import pytest

from crossplay.benchmark.check import act_time, check_policy
from crossplay.benchmark.config import from_text
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games import Matrix, Overcooked
from crossplay.benchmark.games.overcooked.layouts import CLASSIC_FIVE
from crossplay.benchmark.match import Table, play, play_tables
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import spread
from crossplay.populations.scripted import overcooked  # noqa: F401  registers them

KINDS = [kind for kind in POLICIES if kind.startswith("overcooked-")]
IDLE = ("overcooked-stay", "overcooked-random")
SPECIALISTS = ("overcooked-onion-only", "overcooked-dish-only", "overcooked-finisher")
WORKERS = [kind for kind in KINDS if kind not in IDLE + SPECIALISTS]
GREEDY = "overcooked-greedy"
FLOOR = dict(zip(CLASSIC_FIVE, (220, 440, 280, 240, 140), strict=True))  # of greedy with greedy


def policy(text, game):
    return from_text(POLICIES, text).make(game, None)


def returns(layout, one, other, episodes=20, **setting):
    game = Overcooked(layout=layout, **setting)
    pair = [policy(text, game) for text in (one, other)]
    return play(game, pair, episodes=episodes, game_seed=1, policy_seeds=[2, 3]).returns[:, 0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", CLASSIC_FIVE)
def test_every_kind_is_a_policy(kind, layout):
    """Legal, no global luck, nothing mutated, equal seeds give equal actions, alone as in a batch."""
    for seat in range(2):
        assert check_policy(policy(kind, Overcooked(layout=layout)), Overcooked(layout=layout), seat, episodes=3) == []


def test_thirteen_kinds_are_registered():
    assert len(KINDS) == 13
    assert len(WORKERS) == 8


@pytest.mark.parametrize(("layout", "least"), FLOOR.items())
def test_greedy_pairs_are_good_and_never_stuck(layout, least):
    found = returns(layout, GREEDY, GREEDY, episodes=100)
    print(f"{layout}: mean {found.mean():.1f}, least {found.min():.0f}")
    assert found.mean() >= least
    assert found.min() >= least / 2


@pytest.mark.parametrize("layout", CLASSIC_FIVE)
@pytest.mark.parametrize("kind", WORKERS)
def test_workers_deliver_in_either_seat(kind, layout):
    for pair in ((kind, GREEDY), (GREEDY, kind), (kind, kind)):
        found = returns(layout, *pair)
        assert found.min() > 0, f"{pair}: {(found == 0).mean():.0%} of episodes without a soup"
        assert found.mean() >= FLOOR[layout] / 4


@pytest.mark.parametrize("layout", [name for name in CLASSIC_FIVE if name != "forced_coordination"])
def test_specialists_need_and_find_each_other(layout):
    for one in SPECIALISTS:
        assert returns(layout, one, one, episodes=5).max() == 0
    for plater in ("overcooked-dish-only", "overcooked-finisher"):
        for pair in ((plater, "overcooked-onion-only"), ("overcooked-onion-only", plater)):
            assert returns(layout, *pair).min() >= 80


@pytest.mark.parametrize(
    ("layout", "pays"),
    [("asymmetric_advantages_tomato", 770), ("counter_circuit", 300), ("forced_coordination_tomato", 180)],
)
def test_dearer_orders_with_tomatoes(layout, pays):
    for dynamics in ("classic", "interact"):
        found = returns(layout, GREEDY, GREEDY, dynamics=dynamics)
        assert found.mean() >= pays
        assert returns(layout, GREEDY, GREEDY, dynamics=dynamics, random_starts=1.0).min() > 0


@pytest.mark.parametrize("layout", CLASSIC_FIVE)
def test_interact_rules_and_random_starts(layout):
    assert returns(layout, GREEDY, GREEDY, dynamics="interact").mean() >= 0.85 * FLOOR[layout]
    assert returns(layout, GREEDY, GREEDY, dynamics="interact", random_starts=1.0).min() > 0


def test_a_partner_who_never_moves_is_not_waited_for():
    """In cramped_room seat 1 starts in nobody's way: alone, greedy makes most of what it makes with itself."""
    assert returns("cramped_room", GREEDY, "overcooked-stay").min() >= 160
    assert returns("asymmetric_advantages", GREEDY, "overcooked-onion-only").min() >= 200


def test_knobs_turn():
    def mean(text, other=GREEDY, layout="cramped_room"):
        return returns(layout, text, other).mean()

    assert mean("overcooked-lazy:50") < mean("overcooked-lazy:300") < mean("overcooked-lazy:400") == mean(GREEDY)
    assert mean("overcooked-late-starter:300") < mean("overcooked-late-starter:50")
    assert (
        mean("overcooked-sporadic:0.2")
        < mean("overcooked-sporadic:0.6")
        < mean("overcooked-sporadic:1.0")
        == mean(GREEDY)
    )
    assert mean("overcooked-sticky:0.8") < mean("overcooked-sticky:0.3") < mean("overcooked-sticky:0.0") == mean(GREEDY)
    assert mean("overcooked-random:0.0") == mean("overcooked-stay")
    assert mean("overcooked-hoarder:0") == mean(GREEDY)
    onions = "overcooked-onion-only"
    assert mean("overcooked-finisher:0", onions) < mean("overcooked-finisher:20", onions)


def test_patience_is_how_long_an_idle_partner_is_relied_on():
    """The left cook is the one to plate in asymmetric_advantages but only feeds: who trusts it longer delivers less."""
    quick, slow = (
        returns("asymmetric_advantages", f"overcooked-greedy:{n}", "overcooked-onion-only").mean() for n in (4, 40)
    )
    assert quick > slow > 0


def test_one_pot_uses_no_other():
    game = Overcooked(layout="coordination_ring")
    used = {}
    for pot in (0, 1):
        actors = [policy(f"overcooked-one-pot:{pot}", game) for _ in range(2)]
        state = game.reset(spread(1, 4))
        memories = [actor.begin(spread(seat, 4), seat) for seat, actor in enumerate(actors)]
        filled = np.zeros(2, dtype=bool)
        for _ in range(100):
            seen = game.observe(state, "symbols")
            moves = []
            for seat, actor in enumerate(actors):
                chosen, memories[seat] = actor.act(seen.of(seat, slice(None)), memories[seat])
                moves.append(chosen)
            state, _ = game.step(state, np.stack(moves, axis=1))
            filled |= (state.items[:, :2] > 0).any(axis=0)
        used[pot] = filled.tolist()
    assert used == {0: [True, False], 1: [False, True]}


def test_a_hoarder_stocks_counters_first():
    game = Overcooked(layout="cramped_room", horizon=60)
    count = game.spec.events.index
    for cap in (0, 2):
        pair = [policy(f"overcooked-hoarder:{cap}", game), policy("overcooked-stay", game)]
        events = play(game, pair, episodes=4, game_seed=0, policy_seeds=[0, 1]).events[:, 0]
        assert (events[:, count("onion_drop")] == cap).all()
        assert (events[:, count("potting_onion")] > 0).all()


def test_an_episode_is_the_same_in_any_batch():
    game = Overcooked(layout="counter_circuit_o_1order")
    pair = [policy("overcooked-sticky", game), policy("overcooked-sporadic", game)]
    seeds = [spread(seed, 12) for seed in (1, 2, 3)]

    def table(rows):
        return Table(pair, seeds[0][rows], [seeds[1][rows], seeds[2][rows]])

    whole = play_tables(game, [table(slice(None))])[0]
    parts = play_tables(game, [table(slice(7, 8)), table(slice(0, 7)), table(slice(8, 12))])
    order = [*range(7, 8), *range(7), *range(8, 12)]
    np.testing.assert_array_equal(np.concatenate([part.events for part in parts]), whole.events[order])
    assert len({tuple(row) for row in whole.events[:, 0].tolist()}) > 6


def test_what_is_refused():
    with pytest.raises(Refused, match="overcooked-greedy: plays overcooked only; given matrix/"):
        policy(GREEDY, Matrix())
    with pytest.raises(Refused, match=r"pot 1 given, layout cramped_room has pots 0 to 0"):
        policy("overcooked-one-pot:1", Overcooked())
    with pytest.raises(Refused, match="side: Input should be 'left' or 'right', given 'up'"):
        policy("overcooked-handed:up", Overcooked())


def test_a_thousand_episodes_take_seconds():
    """A pair in 1,000 episodes of 400 steps; twice the 5 s of a quiet core, since test machines are busy."""
    game = Overcooked(layout="counter_circuit_o_1order")
    seconds = act_time(policy(GREEDY, game), game, episodes=1000) * 2 * 1000 * 400 / 1e6
    print(f"a greedy pair thinks {seconds:.1f} s for 1,000 episodes of 400 steps")
    assert seconds <= 10
