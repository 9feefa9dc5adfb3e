"""Diverse conventions: what is taught and paid at which table, the stranger's hand, and what comes of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from crossplay.agents import learning
from crossplay.agents.comedi import CoMeDi, GoodFaith, switch
from crossplay.agents.inference import NetworkPolicy
from crossplay.agents.intrusion import Intruder, Intrusion
from crossplay.agents.ippo import IPPO
from crossplay.agents.networks import Architecture
from crossplay.agents.objective import PPO
from crossplay.agents.seating import places
from crossplay.agents.team import Acquaintance
from crossplay.agents.trainer import Budget, Independent, Pupil, train, train_one
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Observation
from crossplay.benchmark.games.matrix import Matrix
from crossplay.benchmark.match import play
from crossplay.benchmark.policy import Constant, Uniform
from crossplay.benchmark.seeding import spread
from tests.agents.echo import Echo

SMALL = IPPO(ppo=PPO(rollout=5, minibatches=2), budget=Budget(steps=320, games=8))
GAME = Echo()
ZERO, ONE = (Constant(action=action).make(GAME, None) for action in range(2))
CONVENTIONS = Matrix(game="custom", payoffs=tuple(tuple(float(a == b) for b in range(3)) for a in range(3)), rounds=4)


def test_half_self_play_a_quarter_with_the_rival_a_quarter_mixed():
    met = Acquaintance(3)
    tables = CoMeDi(alpha=0.5, beta=0.25, member=SMALL).tables(ONE, 2, met, 1, 3)
    assert [(t.rows.start, t.rows.stop) for t in tables] == [(0, 4), (4, 5), (5, 6), (6, 7), (7, 8)]
    assert [t.players for t in tables] == [(0, 0), (0, ONE), (ONE, 0), (0, 0), (0, 0)]
    assert [t.pays for t in tables] == [(), *[((-1.0, 0.0), (0.0, -1.0))] * 2, *[((0.5, 0.0), (0.0, 0.5))] * 2]
    assert [t.intruder for t in tables] == [None, None, None, Intruder(ONE, 0, 3), Intruder(ONE, 1, 3)]
    tables[1].told(np.full((1, 2), 7.0))
    assert met.returns[0, 2] == 7


def test_the_rival_is_whom_it_gets_on_with_best():
    plan = CoMeDi(member=SMALL).plan(GAME, [ZERO, ONE], 0)
    plan.ledger[0, 1:] = torch.tensor([1.0, 6.0])
    met = [plan.seatings(batch)[1].players[1] for batch in range(200)]
    assert 0.8 < met.count(ONE) / 200 < 0.95  # now and then anybody


def test_what_is_learned_from_by_hand():
    """Two games' worth of places at a time: of 16 places the last 4 are mixed play's."""
    trainer = CoMeDi(member=SMALL)
    plan = trainer.plan(GAME, [ZERO], 0)
    method = trainer.method([plan])
    assert isinstance(method, GoodFaith)
    found = method.taught(3, 9, 14)
    for t in range(9):
        batch, step = divmod(3 + t, GAME.spec.horizon)
        assert found[t, :10].all()
        assert (found[t, 10:] == (step >= switch(batch, GAME.spec.horizon))).all()
    assert not found.all()


def test_the_last_places_are_those_of_mixed_play():
    plan = CoMeDi(member=SMALL).plan(GAME, [ZERO], 0)
    where = places([plan.seatings(0)], 0, 8)
    assert where.taught == 14
    assert set(where.rows[0, -4:].tolist()) == {6, 7}
    assert set(where.rows[0, :-4].tolist()) == {0, 1, 2, 3, 4, 5}


def test_switches_are_spread_over_the_episode_and_the_same_for_all_seeds():
    found = [switch(batch, 400) for batch in range(300)]
    assert (min(found) < 20, max(found) > 380, switch(7, 400) == found[7]) == (True, True, True)


def test_a_stranger_acts_in_half_of_the_steps_of_its_seat():
    mine = Intrusion(Intruder(ONE, 1, 5), slice(2, 1002), spread(3, 1000))
    seen = {"shown": Observation(np.zeros((1004, 2, 4), np.float32), np.ones((1004, 2, 4), bool))}
    actions = np.full((1004, 2), 3)
    mine.act({ONE.view: seen["shown"]}, actions)
    assert (actions[:, 0] == 3).all()
    assert (actions[[0, 1, 1002, 1003]] == 3).all()
    assert set(actions[2:1002, 1].tolist()) == {1, 3}
    assert 0.45 < (actions[2:1002, 1] == 1).mean() < 0.55


def test_dropping_what_is_not_taught_leaves_the_rest(monkeypatch):
    """Every lesson has the samples that the slow rule keeps, in order, and no others."""
    kept = []
    lessons = GoodFaith.lessons

    def watched(self, seen, progress):
        found = lessons(self, seen, progress)
        whole = Independent.lesson(self, 0, seen[0]).samples
        steps, count = seen[0].actions.shape[1:]
        start = round(progress * 320) // 8
        flags = [
            place < count - 4 or (start + t) % 5 >= switch((start + t) // 5, 5)
            for t in range(steps)
            for place in range(count)
        ]
        for part, all_of_it in zip(found[0][0].samples[1:7], whole[1:7], strict=True):
            assert torch.equal(part, all_of_it[:, torch.tensor(flags)])
        kept.append(sum(flags))
        return found

    monkeypatch.setattr(GoodFaith, "lessons", watched)
    train_one(CoMeDi(member=SMALL), GAME, [ZERO], seed=0)
    assert len(kept) == 8
    assert len(set(kept)) > 1


def test_without_partners_it_is_self_play():
    alone = train_one(CoMeDi(member=SMALL), GAME, seed=2)
    assert alone.contents() == train_one(SMALL, GAME, seed=2).contents()


def test_a_stack_ends_as_its_members_alone():
    trainer, partners = CoMeDi(member=SMALL), [[ZERO], [ONE, ZERO]]
    together = train(trainer, GAME, [Pupil(3, partners[0]), Pupil(1, partners[1])])
    alone = [train_one(trainer, GAME, mine, seed=seed) for seed, mine in zip((3, 1), partners, strict=True)]
    assert [net.contents() for net in together] == [net.contents() for net in alone]


@pytest.mark.parametrize("after", [80, 160, 240])
def test_an_interrupted_training_ends_with_the_same_weights(after, tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)

    def stop(update):
        if update.steps >= after:
            raise KeyboardInterrupt

    path, trainer = tmp_path / "training", CoMeDi(member=SMALL)
    with pytest.raises(KeyboardInterrupt):
        train_one(trainer, GAME, [ZERO, ONE], seed=5, on_update=stop, checkpoint=path)
    first = []
    again = train_one(
        trainer, GAME, [ZERO, ONE], seed=5, checkpoint=path, on_update=lambda update: first.append(update.steps)
    )
    assert first[0] > 40
    assert again.contents() == train_one(trainer, GAME, [ZERO, ONE], seed=5).contents()


def together(one, other):
    return play(CONVENTIONS, [one, other], episodes=64, game_seed=0, policy_seeds=[1, 2]).returns.mean()


def test_the_next_convention_is_another_one():
    """In a game of three conventions four rounds long; with α = 0 nothing keeps it from the first one."""
    member = IPPO(ppo=PPO(rollout=20, minibatches=2, learning_rate=3e-3), budget=Budget(steps=16_000, games=16))
    first = Constant(action=1).make(CONVENTIONS, None)
    for seed in range(3):
        found = NetworkPolicy(train_one(CoMeDi(member=member), CONVENTIONS, [first], seed=seed))
        assert together(found, found) > 3.6
        assert together(found, first) < 0.4


@pytest.mark.parametrize(
    ("trainer", "words"),
    [
        (CoMeDi(member=replace(SMALL, budget=Budget(steps=320, games=12))), "12 games"),
        (CoMeDi(member=replace(SMALL, shared=False)), "shared = False"),
        (CoMeDi(member=replace(SMALL, architecture=Architecture(body="gru"))), "plain networks"),
    ],
)
def test_what_does_not_fit_is_refused(trainer, words):
    with pytest.raises(Refused, match=words):
        train_one(trainer, GAME, [Uniform().make(GAME, None)], seed=0)


def test_first_and_later_conventions_are_taught_apart():
    with pytest.raises(Refused, match="given 1 of 2"):
        train(CoMeDi(member=SMALL), GAME, [Pupil(0), Pupil(1, [ZERO])])
