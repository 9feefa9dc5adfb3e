"""Rule partners of collab-grid: single decisions by hand, and what becomes of pairs of them."""

import pickle

import numpy as np
import pytest

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Observation
from crossplay.benchmark.games import CollabGrid, Matrix
from crossplay.benchmark.match import play
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import spread
from crossplay.populations.scripted.collab_grid import Circler, Half, Hoarder, Quitter, Shirker, Worker

UP, DOWN, LEFT, RIGHT, STAY = range(5)
GAME = CollabGrid()
PICKUP, DELIVERY, MOVE, BLOCKED, COLLISION = range(5)
KINDS = [kind for kind in POLICIES if kind.startswith("collab-grid")]


def played(one, other, episodes=300):
    policies = [maker.make(GAME, None) for maker in (one, other)]
    return play(GAME, policies, episodes=episodes, game_seed=1, policy_seeds=[2, 3])


def decide(maker, *view, episodes=1, steps=0):
    policy = maker.make(GAME, None)
    memory = policy.begin(spread(4, episodes), 0)
    seen = Observation(np.tile(np.array(view, np.float32), (episodes, 1)), np.ones((episodes, 5), dtype=bool))
    for _ in range(steps):
        _, memory = policy.act(seen, memory)
    return policy.act(seen, memory)[0]


def test_six_kinds_are_registered():
    assert [f"collab-grid-{k}" for k in ("circler", "half", "hoarder", "quitter", "shirker", "worker")] == KINDS


@pytest.mark.parametrize(
    ("maker", "view", "action"),
    [
        (Worker(), (3, 3, 0, 0, 0, 0, 1, 0), RIGHT),  # an onion at (3, 4)
        (Worker(), (3, 3, 0, 0, 0, 0, 0, 1), DOWN),  # an onion at (4, 3)
        (Worker(), (1, 2, 1, 0, 0, 0, 1, 1), DOWN),  # full hands beside the pot
        (Worker(), (1, 2, 0, 0, 0, 0, 1, 1), RIGHT),  # empty hands go round the pot
        (Worker(), (0, 4, 1, 0, 0, 0, 1, 1), DOWN),
        (Worker(rows_first=False), (0, 4, 1, 0, 0, 0, 1, 1), LEFT),
        (Worker(), (3, 4, 0, 0, 0, 0, 0, 0), STAY),  # waits where an onion grows
        (Worker(onion="lower"), (3, 3, 0, 0, 0, 0, 1, 0), DOWN),  # its own place, though the other has one
        (Worker(onion="right"), (4, 3, 0, 0, 0, 0, 0, 1), UP),
        (Worker(), (2, 4, 0, 1, 4, 0, 1, 1), DOWN),
        (Shirker(), (1, 2, 1, 0, 0, 0, 1, 1), STAY),
        (Hoarder(), (3, 3, 0, 0, 0, 0, 1, 0), RIGHT),
        (Hoarder(), (1, 2, 1, 0, 0, 0, 1, 1), STAY),
        (Circler(), (0, 4, 0, 2, 1, 0, 1, 1), DOWN),
        (Circler(clockwise=False), (0, 4, 0, 2, 1, 0, 1, 1), LEFT),
        (Circler(), (0, 0, 0, 0, 1, 0, 1, 1), STAY),  # the partner is in the way
        (Circler(ring="inner"), (1, 1, 0, 0, 0, 0, 1, 1), RIGHT),
        (Circler(ring="inner"), (0, 2, 0, 0, 0, 0, 1, 1), DOWN),
        (Half(share=1.0), (3, 3, 0, 0, 0, 0, 1, 0), RIGHT),
        (Half(share=0.0), (3, 3, 0, 0, 0, 0, 1, 0), STAY),
    ],
)
def test_decisions_by_hand(maker, view, action):
    assert decide(maker, *view).tolist() == [action]


def test_a_worker_never_walks_into_its_partner_and_sidesteps_half_of_the_time():
    actions = decide(Worker(), 3, 3, 0, 3, 4, 0, 1, 0, episodes=4000)  # the partner stands on the only onion
    assert RIGHT not in actions
    assert (actions == STAY).mean() == pytest.approx(0.5, abs=0.04)


def test_a_quitter_quits_on_time():
    view = (3, 3, 0, 0, 0, 0, 1, 0)
    assert decide(Quitter(steps=2), *view, steps=1).tolist() == [RIGHT]
    assert decide(Quitter(steps=2), *view, steps=2).tolist() == [STAY]


def test_half_works_in_its_share_of_the_steps():
    actions = decide(Half(share=0.3), 3, 3, 0, 0, 0, 0, 1, 0, episodes=5000)
    assert (actions == RIGHT).mean() == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize(("clockwise", "ring"), [(True, "outer"), (False, "outer"), (True, "inner"), (False, "inner")])
def test_a_circler_goes_round_and_round(clockwise, ring):
    state = GAME.reset(spread(0, 1))
    state.cells[0] = 0, 0, 0, 4, 4, 0, 0, 0
    policy, cells = Circler(ring=ring, clockwise=clockwise).make(GAME, None), []
    memory = policy.begin(spread(0, 1), 0)
    for _ in range(40):
        state.cells[0, 3:] = (2, 1, 0, 0, 0) if ring == "outer" else (4, 4, 0, 0, 0)  # the partner is out of the way
        action, memory = policy.act(GAME.observe(state, "ego").of(0, slice(None)), memory)
        state, _ = GAME.step(state, np.array([[action[0], STAY]]))
        cells.append(tuple(state.cells[0, :2].tolist()))
    round_trip = 16 if ring == "outer" else 8
    assert len(set(cells[-round_trip:])) == round_trip
    assert cells[-1] == cells[-1 - round_trip]


def test_two_workers_deliver_more_than_one_and_one_more_than_none():
    both, alone, none = played(Worker(), Worker()), played(Worker(), Shirker()), played(Shirker(), Shirker())
    deliveries = [paid.events[..., DELIVERY].sum(axis=1).mean() for paid in (both, alone, none)]
    assert deliveries[0] > 12
    assert deliveries[1] == pytest.approx(8.8, abs=0.3)
    assert deliveries[2] == 0
    assert both.returns.mean() > 125
    assert both.events[..., COLLISION].mean() < 2


def test_the_shirker_gains_what_the_worker_pays():
    paid = played(Worker(), Shirker())
    assert not paid.costs[:, 1].any()
    assert paid.returns[:, 1] == pytest.approx(paid.returns[:, 0] + paid.costs[:, 0])
    assert paid.costs[:, 0].mean() == pytest.approx(9.9, abs=0.2)


def test_half_workers_are_worth_about_half_and_the_idle_nothing():
    deliveries = {
        maker.kind: played(maker, Shirker()).events[:, 0, DELIVERY].mean()
        for maker in (Worker(), Half(), Quitter(), Circler(), Hoarder(), Shirker())
    }
    for kind in ("collab-grid-half", "collab-grid-quitter"):
        assert 0.35 < deliveries[kind] / deliveries["collab-grid-worker"] < 0.55
    for kind in ("collab-grid-circler", "collab-grid-hoarder", "collab-grid-shirker"):
        assert deliveries[kind] == 0


def test_a_hoarder_takes_one_onion():
    assert (played(Hoarder(), Shirker()).events[:, 0, PICKUP] == 1).all()


@pytest.mark.parametrize("kind", KINDS)
def test_other_games_are_refused(kind):
    with pytest.raises(Refused, match=f"{kind} plays collab-grid only; given matrix/volunteer-v1"):
        POLICIES[kind]().make(Matrix(), None)


@pytest.mark.parametrize("kind", KINDS)
def test_policies_can_go_to_another_process_and_play_any_horizon(kind):
    game = CollabGrid(horizon=5)
    policy = POLICIES[kind]().make(game, None)
    there = pickle.loads(pickle.dumps(policy))
    one, other = (play(game, [p, p], episodes=4, game_seed=0, policy_seeds=[1, 2]) for p in (policy, there))
    assert np.array_equal(one.returns, other.returns)
