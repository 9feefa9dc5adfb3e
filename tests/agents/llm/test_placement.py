"""Where rewards go, by hand: R = 3 rounds, γ = .5 unless said otherwise; paid is [rounds, episodes, seats]."""

import numpy as np
import pytest
import torch

from crossplay.agents.llm import placement
from crossplay.agents.llm.arms import DebateIPPO, DebateNoKL, DebateSolo, DebateSRPO, Learn
from crossplay.agents.llm.learner import advantages, clipped

# seat 0 is right in rounds 0 and 2, seat 1 in round 1 and 2; the second episode has nobody right but seat 1 at the end
PAID = np.array([[[1, 0], [0, 0]], [[0, 1], [0, 0]], [[1, 1], [0, 1]]], dtype=float)
NAN = float("nan")


def test_team_returns_are_discounted_means_over_seats():
    # round 2: mean(1, 1) = 1 and mean(0, 1) = .5; round 1: .5 + .5·1 and 0 + .5·.5; round 0: .5 + .5·1 and 0 + .5·.25
    assert placement.team_returns(PAID, 0.5).tolist() == [[1.0, 0.125], [1.0, 0.25], [1.0, 0.5]]


def test_ippo_adds_the_teams_next_return_in_middle_rounds_only():
    assert placement.independent(PAID, 0.5).tolist() == [
        [[1, 0], [0, 0]],
        [[0.5, 1.5], [0.25, 0.25]],
        [[1, 1], [0, 1]],
    ]


def test_ippo_does_not_compound_over_four_rounds():
    paid = np.ones((4, 1, 2))
    # γ = 1: round 2 gets 1 + 1, round 1 gets 1 + (1 + 1); adding what is placed already would give 1 + (2 + 2)
    assert placement.independent(paid, 1.0)[:, 0].tolist() == [[1, 1], [3, 3], [2, 2], [1, 1]]
    assert paid.tolist() == np.ones((4, 1, 2)).tolist()


def test_srpo_pays_heroes_onward_and_adversaries_the_heros_next_return():
    for_hero_0 = placement.duel(PAID, 0, 0.5)
    # hero 0: round 2 own 1, 0; round 1 own 0 + .5·1, 0; round 0 raw 1, 0. Adversary: −hero[1], −hero[2], untaught
    np.testing.assert_equal(for_hero_0[:, :, 0], [[1, 0], [0.5, 0], [1, 0]])
    np.testing.assert_equal(for_hero_0[:, :, 1], [[-0.5, 0], [-1, 0], [NAN, NAN]])
    for_hero_1 = placement.duel(PAID, 1, 0.5)
    np.testing.assert_equal(for_hero_1[:, :, 1], [[0, 0], [1.5, 0.5], [1, 1]])
    np.testing.assert_equal(for_hero_1[:, :, 0], [[-1.5, -0.5], [-1, -1], [NAN, NAN]])


def test_one_round_leaves_an_adversary_nothing_to_say():
    assert np.isnan(placement.duel(PAID[:1], 0, 0.5)[:, :, 1]).all()


def test_every_arm_uses_its_own_placement():
    learn = Learn(gamma=0.5)
    for arm, wanted in (
        (DebateIPPO(learn=learn), placement.independent(PAID, 0.5)),
        (DebateSolo(learn=learn), PAID),
        (DebateSRPO(learn=learn), placement.duel(PAID, 0, 0.5)),
        (DebateNoKL(learn=learn), placement.duel(PAID, 0, 0.5)),
    ):
        np.testing.assert_equal(arm.placed(PAID, arm.casts[0]), wanted)


def test_a_hero_never_trains_with_a_cooperative_partner():
    for arm in (DebateSRPO(), DebateNoKL()):
        assert [cast.seats for cast in arm.casts] == [("agent0", "adv0"), ("adv1", "agent1")]
        assert [cast.seats[cast.hero] for cast in arm.casts] == ["agent0", "agent1"]
    assert DebateSRPO(tau=4.0).price == 0.25
    assert DebateSRPO().price == 0.1
    assert DebateNoKL().price == 0.0


def test_advantages_are_centred_and_scaled_by_answers_whatever_their_length():
    raw, nothing = torch.tensor([3.0, 1.0]), torch.zeros(2, 3)
    assert advantages(raw, nothing, 0.0).tolist() == [[1.0] * 3, [-1.0] * 3]


def test_an_adversary_owes_for_each_token_from_there_to_the_end():
    raw = torch.tensor([2.0, -2.0])  # scale 2
    leash = torch.tensor(
        [[1.0, 2.0], [1.0, 0.0]]
    )  # nats; owed at price .5: [1.5, 1.0] and [.5, 0], mean at the start 1
    found = advantages(raw, leash, 0.5)
    assert found.tolist() == [[(2 - 1.5 + 1) / 2, (2 - 1.0 + 1) / 2], [(-2 - 0.5 + 1) / 2, (-2 - 0 + 1) / 2]]


def test_equal_answers_are_not_blown_up():
    assert advantages(torch.tensor([0.51, 0.49]), torch.zeros(2, 1), 0.0).flatten().tolist() == pytest.approx(
        [0.2, -0.2]
    )


def test_the_surrogate_is_clipped_on_the_side_that_gains():
    ratio, better = torch.tensor([1.5, 1.5, 0.5, 0.5]), torch.tensor([1.0, -1.0, 1.0, -1.0])
    assert clipped(ratio, better, 0.2).tolist() == pytest.approx([1.2, -1.5, 0.5, -0.8])
