"""The cross-play load the project is measured by: 24 partners × 3 egos, both seats, 64 episodes of cramped_room."""

import time
from pathlib import Path

import numpy as np
import torch

from crossplay.agents.networks import Architecture, PolicyNet
from crossplay.benchmark.card import Card
from crossplay.benchmark.crossplay import Fixture, fixture, play_fixtures
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.games.overcooked.reference import actions, gridworld


def network(name: str, seed: int, out: Path) -> Card:
    """A card of an untrained 2×64 network: as much work as a trained one."""
    net = PolicyNet(Architecture(), Overcooked().spec, shared=True, seed=seed)
    card = Card(name=name, maker=net.maker(), game=Overcooked().spec.name, family="speed", lineage=name)
    return card.save(out / name, net.contents())


def load(out: Path, egos: int = 3, partners: int = 24, episodes: int = 64) -> list[Fixture]:
    """The fixtures, cards written below `out`."""
    game = Overcooked()
    e = [network(f"ego-{i}", i, out) for i in range(egos)]
    p = [network(f"partner-{i}", 100 + i, out) for i in range(partners)]
    return [fixture(game, a, b, seat=s, episodes=episodes, seed=0) for a in e for b in p for s in range(2)]


def seconds(fixtures: list[Fixture], jobs: int) -> float:
    """Wall time of playing them all."""
    began = time.perf_counter()
    assert sum(1 for _ in play_fixtures(fixtures, jobs=jobs)) == len(fixtures)
    return time.perf_counter() - began


def home_made(steps: int = 400) -> float:
    """Joint steps a second of the usual script: the package's kitchen, lossless planes, two torch networks."""
    mdp, width, height = gridworld("cramped_room"), 5, 4
    sizes = [torch.nn.Linear(width * height * 26, 64), torch.nn.Tanh(), torch.nn.Linear(64, 64), torch.nn.Tanh()]
    nets = [torch.nn.Sequential(torch.nn.Flatten(), *sizes, torch.nn.Linear(64, 6)) for _ in range(2)]
    state = mdp.get_standard_start_state()
    began = time.perf_counter()
    with torch.inference_mode():
        for _ in range(steps):
            seen = torch.from_numpy(np.stack(mdp.lossless_state_encoding(state, 400))).float()
            chosen = [
                int(torch.distributions.Categorical(logits=n(x[None])).sample())
                for n, x in zip(nets, seen, strict=True)
            ]
            state, _ = mdp.get_state_transition(state, actions(np.array(chosen)))
    return steps / (time.perf_counter() - began)
