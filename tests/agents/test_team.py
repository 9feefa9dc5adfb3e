"""Teams whose members meet: whom they meet, what they are paid there, and that a stop changes nothing."""

from dataclasses import replace

import numpy as np
import pytest

from crossplay.agents import learning
from crossplay.agents.brdiv import BRDiv
from crossplay.agents.ippo import IPPO
from crossplay.agents.ledger import RATE
from crossplay.agents.lipo import LIPO
from crossplay.agents.objective import PPO
from crossplay.agents.seating import Double
from crossplay.agents.team import CURIOUS, Acquaintance
from crossplay.agents.trainer import Budget, Pupil, train, train_one
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.matrix import Matrix
from tests.agents.echo import Echo

SMALL = IPPO(ppo=PPO(rollout=5, minibatches=2), budget=Budget(steps=200, games=8))
TRAINERS = {"lipo": LIPO(members=3, member=SMALL), "brdiv": BRDiv(members=3, member=SMALL)}


def test_the_rival_is_who_earns_most_with_one():
    met, rng = Acquaintance(4), np.random.default_rng(0)
    assert {met.rival(0, [1, 2, 3], rng) for _ in range(50)} == {1, 2, 3}
    for rival, earned in ((1, 2.0), (2, 5.0), (3, 1.0)):
        met.note(0, rival, np.full((4, 2), earned))
    chosen = [met.rival(0, [1, 2, 3], rng) for _ in range(2000)]
    assert np.mean(np.array(chosen) == 2) == pytest.approx(1 - CURIOUS * 2 / 3, abs=0.03)
    met.note(0, 2, np.full((4, 2), -100.0))
    assert float(met.returns[0, 2]) == pytest.approx(5 + RATE * -105)
    chosen = [met.rival(0, [1, 2, 3], rng) for _ in range(200)]
    assert max(chosen, key=chosen.count) == 1


@pytest.mark.parametrize(("kind", "price"), [("lipo", 1.0), ("brdiv", 2 * 4 / 5)])
def test_tables_pay_as_the_objective_says(kind, price):
    """Three members, two games a table: all rows are taken once; rivals are untaught, and cost what they earn."""
    trainer = TRAINERS[kind]
    plan = trainer.plan(Echo(), (), 0)
    assert plan.games == 24
    assert len(plan.net.nets) == (3 if kind == "lipo" else 6)
    for batch in range(5):
        tables = plan.seatings(batch)
        rows = [row for t in tables for row in range(t.rows.start, t.rows.stop)]
        assert sorted(rows) == list(range(24))
        own = [t for t in tables if not t.pays]
        mates = [(i, i) if kind == "lipo" else (i, 3 + i) for i in range(3)]
        assert sorted(tuple(sorted(t.players)) for t in own) == sorted([*mates, *mates])
        for t in (t for t in tables if t.pays):
            seat = next(s for s, who in enumerate(t.players) if isinstance(who, int))
            rival = t.players[1 - seat]
            assert isinstance(rival, Double)
            assert rival.noise == 0
            assert rival.of % 3 != t.players[seat] % 3
            assert kind == "lipo" or (rival.of < 3) != (t.players[seat] < 3)  # a policy meets mates, a mate policies
            assert t.pays[seat][seat] == pytest.approx(-price)
            assert t.pays[seat][1 - seat] == 0


def test_everyone_is_somewhere_in_either_seat():
    seats = {}
    plan = TRAINERS["brdiv"].plan(Echo(), (), 0)
    for batch in range(30):
        for t in plan.seatings(batch):
            for seat, who in enumerate(t.players):
                seats.setdefault((who if isinstance(who, int) else who.of, bool(t.pays)), set()).add(seat)
    assert seats == {(who, rivals): {0, 1} for who in range(6) for rivals in (False, True)}


def test_budgets_are_the_members():
    long = IPPO(budget=Budget(steps=1000, games=8, shaping_steps=400))
    assert LIPO(members=3, member=long).budget == Budget(steps=3000, games=24, shaping_steps=1200)


@pytest.mark.parametrize("kind", TRAINERS)
def test_stopped_and_gone_on_is_never_stopped(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)

    def stop(update):
        if update.steps >= 360:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_one(TRAINERS[kind], Echo(), seed=0, on_update=stop, checkpoint=tmp_path / "training")
    assert learning.steps_done(tmp_path / "training") > 0
    again = train_one(TRAINERS[kind], Echo(), seed=0, checkpoint=tmp_path / "training")
    assert again.contents() == train_one(TRAINERS[kind], Echo(), seed=0).contents()


def test_what_cannot_be_is_refused():
    with pytest.raises(Refused, match="teams are taught alone, since who meets whom differs; given 2"):
        train(TRAINERS["lipo"], Echo(), [Pupil(0), Pupil(1)])
    with pytest.raises(Refused, match="lipo makes partners and takes none; given 1"):
        TRAINERS["lipo"].plan(Echo(), [object()], 0)
    with pytest.raises(Refused, match=r"brdiv wants a game for two, .* given 3 seats, 8 games, 3 members"):
        TRAINERS["brdiv"].plan(Matrix(seats=3), (), 0)
    with pytest.raises(Refused, match="given 2 seats, 8 games, 1 members"):
        replace(TRAINERS["lipo"], members=1).plan(Echo(), (), 0)
