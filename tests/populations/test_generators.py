"""Generators: every one makes cards of its family that load and play; FCP keeps three stages of skill."""

import pytest

import crossplay.leaderboard.suite  # noqa: F401  registers all generators
from crossplay.agents.cloning import Cloning
from crossplay.agents.ippo import IPPO
from crossplay.agents.objective import PPO
from crossplay.agents.trainer import Budget
from crossplay.benchmark.config import build
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.match import play
from crossplay.populations.fcp import FCP
from crossplay.populations.generator import GENERATORS, bundles, generate
from crossplay.populations.self_play import SelfPlay
from crossplay.populations.stages import forget_snapshots
from tests.agents.echo import Echo

SMALL = IPPO(ppo=PPO(rollout=50), budget=Budget(steps=4_000, games=8))
QUICK = {"trainer": SMALL, "seeds": 2, "keep": 1, "cloning": Cloning(epochs=1)}


TEXTS = ("debate_base", "debate_strangers")  # of games of texts: tests/agents/llm
GIVEN = ("llm", "cards")  # that want a model or cards: tests/leaderboard/test_llm_boards.py


@pytest.mark.parametrize("kind", [kind for kind in GENERATORS if kind not in TEXTS + GIVEN])
def test_every_generator_makes_cards_that_play(kind, tmp_path):
    cls = GENERATORS[kind]
    game = getattr(cls, "home", CollabGrid())
    generator = build(cls, {name: value for name, value in QUICK.items() if name in cls.__dataclass_fields__})
    made = generate(generator, game, tmp_path, seed=0)
    assert made
    assert {card.family for card in made} == {getattr(cls, "makes", kind)}
    assert len({card.name for card in made}) == len(made)
    for card in made:
        policy = card.policy(game)
        assert play(game, [policy, policy], episodes=2, game_seed=0, policy_seeds=[0, 1]).returns.shape == (2, 2)
    again = generate(generator, game, tmp_path, seed=0)
    assert [card.digest for card in again] == [card.digest for card in made]


def test_names_and_seeds_make_different_partners(tmp_path):
    def digests(name, seed):
        plan = SelfPlay(name=name, seeds=2, trainer=SMALL)
        return [card.digest for card in generate(plan, CollabGrid(), tmp_path / f"{name}{seed}", seed=seed)]

    everybody = digests("a", 0) + digests("b", 0) + digests("a", 1)
    assert len(set(everybody)) == 6
    assert digests("a", 0) == everybody[:2]


def test_fcp_keeps_the_beginner_the_half_way_and_the_expert(tmp_path):
    game = Echo()
    trainer = IPPO(ppo=PPO(rollout=10, minibatches=1, learning_rate=1e-4), budget=Budget(steps=60_000))
    made = generate(FCP(seeds=1, trainer=trainer), game, tmp_path, seed=0)
    assert [card.name for card in made] == ["fcp-0-first", "fcp-0-half", "fcp-0-last"]
    assert len({card.lineage for card in made}) == 1
    skill = []
    for card in made:
        policy = card.policy(game)
        skill.append(play(game, [policy, policy], episodes=400, game_seed=0, policy_seeds=[0, 1]).returns.mean())
    assert skill[0] < skill[1] < skill[2]
    assert abs(skill[1] - skill[2] / 2) < 0.6, "the middle one has about half the expert's return"
    forget_snapshots(tmp_path)
    assert not list(tmp_path.rglob("*.snapshots"))
    assert [card.digest for card in generate(FCP(seeds=1, trainer=trainer), game, tmp_path, seed=0)] == [
        card.digest for card in made
    ]


@pytest.mark.parametrize(("kinds", "jobs", "sizes"), [(1, 1, [5]), (1, 2, [3, 2]), (2, 2, [5, 5]), (1, 9, [1] * 5)])
def test_stacks_are_split_only_where_processes_would_stand_idle(kinds, jobs, sizes, tmp_path):
    plans = [IPPO(ppo=PPO(rollout=10 + i), budget=Budget(steps=100, games=2)) for i in range(kinds)]
    tasks = [
        task
        for i, plan in enumerate(plans)
        for task in SelfPlay(name=f"s{i}", seeds=5, trainer=plan).tasks(CollabGrid(), tmp_path, seed=0, device="cpu")
    ]
    assert [len(bundle) for bundle in bundles(tasks, jobs)] == sizes
