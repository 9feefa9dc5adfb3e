"""Rule partners of carry: single decisions by hand, and what becomes of pairs of them."""

import pickle

import numpy as np
import pytest

from crossplay.benchmark.check import check_policy
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Observation
from crossplay.benchmark.games import Matrix
from crossplay.benchmark.games.carry import Carry
from crossplay.benchmark.match import play
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import spread
from crossplay.populations.scripted.carry import Camper, Half, Helper, Quitter, Shirker, Worker

UP, DOWN, LEFT, RIGHT, STAY = range(5)
PICKUP, DELIVERY, MOVE, IDLE = range(4)
LIGHT, HEAVY = Carry(), Carry(heavy=True)
KINDS = [kind for kind in POLICIES if kind.startswith("carry-")]


def played(one, other, game=LIGHT, episodes=300):
    policies = [maker.make(game, None) for maker in (one, other)]
    return play(game, policies, episodes=episodes, game_seed=1, policy_seeds=[2, 3])


def delivered(one, other, game=LIGHT):
    found = float(played(one, other, game).events[..., DELIVERY].sum(axis=1).mean())
    print(f"{game.spec.name}: {one.kind} with {other.kind}: {found:.2f} deliveries")
    return found


def decide(maker, *view, episodes=1, steps=0):
    policy = maker.make(LIGHT, None)
    memory = policy.begin(spread(4, episodes), 0)
    seen = Observation(np.tile(np.array(view, np.float32), (episodes, 1)), np.ones((episodes, 5), dtype=bool))
    for _ in range(steps):
        _, memory = policy.act(seen, memory)
    return policy.act(seen, memory)[0]


def test_six_kinds_are_registered():
    assert [f"carry-{k}" for k in ("camper", "half", "helper", "quitter", "shirker", "worker")] == KINDS


# own row, column, carrying; the partner's; row and column of both items; steps closed
ITEM_RIGHT = (1, 1, 0, 4, 4, 0, 1, 3, 4, 1, 0)
FULL = (0, 4, 1, 4, 4, 0, -1, -1, 4, 1, 0)


@pytest.mark.parametrize(
    ("maker", "view", "action"),
    [
        (Worker(), ITEM_RIGHT, RIGHT),
        (Worker(), (1, 1, 0, 4, 4, 0, -1, -1, 4, 1, 0), DOWN),  # the other item has been taken
        (Worker(), (1, 1, 0, 4, 4, 0, 4, 1, 0, 1, 0), UP),
        (Worker(), (1, 1, 0, 4, 4, 0, 4, 4, 1, 0, 0), LEFT),
        (Worker(), FULL, DOWN),
        (Worker(rows_first=False), FULL, LEFT),
        (Worker(rows_first=False), (0, 2, 1, 4, 4, 0, -1, -1, 4, 1, 0), DOWN),
        (Worker(), (2, 2, 1, 4, 4, 0, -1, -1, 4, 1, 3), STAY),  # waits on the closed goal
        (Worker(), (2, 2, 0, 4, 4, 0, 2, 1, 4, 1, 3), LEFT),
        (Worker(), (0, 0, 0, 0, 2, 0, 0, 1, 1, 0, 0), RIGHT),
        (Worker(item="spare"), (0, 0, 0, 0, 2, 0, 0, 1, 4, 0, 0), RIGHT),  # equally near: not beaten to it
        (Worker(item="spare"), (0, 0, 0, 0, 3, 0, 0, 2, 4, 0, 0), DOWN),  # the partner is nearer
        (Worker(item="spare"), (0, 0, 0, 0, 3, 1, 0, 2, 4, 0, 0), RIGHT),  # but has its hands full
        (Worker(item="spare"), (0, 0, 0, 0, 3, 0, 0, 2, -1, -1, 0), RIGHT),  # there is no other
        (Shirker(), FULL, STAY),
        (Camper(), (4, 4, 0, 0, 0, 0, 0, 3, 4, 0, 0), UP),
        (Camper(), (3, 3, 0, 0, 0, 0, 0, 3, 4, 0, 0), STAY),  # near enough
        (Camper(), (3, 3, 1, 0, 0, 0, -1, -1, 4, 0, 0), UP),  # delivers what it came across
        (Helper(), ITEM_RIGHT, RIGHT),
        (Helper(), (4, 1, 0, 0, 0, 1, 4, 0, -1, -1, 0), UP),  # its partner carries: to the goal
        (Helper(), (3, 1, 0, 0, 0, 1, 4, 1, -1, -1, 0), STAY),
        (Helper(), (3, 2, 1, 0, 0, 1, -1, -1, -1, -1, 0), UP),  # both carry: onto the goal
        (Half(share=1.0), ITEM_RIGHT, RIGHT),
        (Half(share=0.0), ITEM_RIGHT, STAY),
    ],
)
def test_decisions_by_hand(maker, view, action):
    assert decide(maker, *view).tolist() == [action]


def test_a_quitter_quits_on_time():
    assert decide(Quitter(steps=2), *ITEM_RIGHT, steps=1).tolist() == [RIGHT]
    assert decide(Quitter(steps=2), *ITEM_RIGHT, steps=2).tolist() == [STAY]


def test_half_works_in_its_share_of_the_steps():
    actions = decide(Half(share=0.3), *ITEM_RIGHT, episodes=5000)
    assert (actions == RIGHT).mean() == pytest.approx(0.3, abs=0.03)


def test_one_worker_is_nearly_enough_for_light_items():
    alone, both, none = delivered(Worker(), Shirker()), delivered(Worker(), Worker()), delivered(Shirker(), Shirker())
    assert both == pytest.approx(9.95, abs=0.1)  # ten is what the closing goal allows in 60 steps
    assert 9.3 < alone < 9.8
    assert none == 0


def test_the_shirker_gains_what_the_worker_pays():
    paid = played(Worker(), Shirker())
    assert not paid.costs[:, 1].any()
    assert paid.returns[:, 1] == pytest.approx(paid.returns[:, 0] + paid.costs[:, 0])
    assert paid.returns[:, 0] == pytest.approx(paid.events[:, 0, DELIVERY] - 0.06 * paid.events[:, 0, MOVE], abs=1e-9)


def test_heavy_items_need_both():
    alone = played(Worker(), Shirker(), HEAVY).events[:, 0, DELIVERY]
    none_near = (alone == 0).mean()
    assert none_near == pytest.approx(16 / 25, abs=0.1), "a shirker helps where it happens to start near the goal"
    both, camper = delivered(Worker(), Worker(), HEAVY), delivered(Worker(), Camper(), HEAVY)
    helpers = delivered(Helper(), Helper(), HEAVY)
    assert both > 15.5
    assert camper > 11.5
    assert helpers > 14
    assert alone.mean() < 5


def test_half_workers_and_quitters_are_worth_about_half_and_the_idle_little():
    found = {maker.kind: delivered(maker, Shirker()) for maker in (Worker(), Half(), Quitter(), Camper(), Helper())}
    for kind in ("carry-half", "carry-quitter"):
        assert 0.35 < found[kind] / found["carry-worker"] < 0.65
    assert 0 < found["carry-camper"] < 1
    assert found["carry-helper"] == found["carry-worker"]


def test_leaving_items_to_each_other_costs_no_delivery_and_saves_steps():
    spare, nearest = (played(Worker(item=item), Worker(item=item)) for item in ("spare", "nearest"))
    assert spare.events[..., DELIVERY].sum(axis=1).mean() == pytest.approx(9.95, abs=0.1)
    assert spare.costs.sum(axis=1).mean() < nearest.costs.sum(axis=1).mean()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_passes_the_public_checker_in_both_games(kind):
    for game in (LIGHT, HEAVY):
        for seat in (0, 1):
            assert check_policy(POLICIES[kind]().make(game, None), game, seat, episodes=3) == []


@pytest.mark.parametrize("kind", KINDS)
def test_other_games_are_refused(kind):
    with pytest.raises(Refused, match=f"{kind} plays carry only; given matrix/volunteer-v1"):
        POLICIES[kind]().make(Matrix(), None)


@pytest.mark.parametrize("kind", KINDS)
def test_policies_can_go_to_another_process_and_play_any_horizon(kind):
    game = Carry(horizon=5)
    policy = POLICIES[kind]().make(game, None)
    there = pickle.loads(pickle.dumps(policy))
    one, other = (play(game, [p, p], episodes=4, game_seed=0, policy_seeds=[1, 2]) for p in (policy, there))
    assert np.array_equal(one.returns, other.returns)
