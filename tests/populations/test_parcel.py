"""What a package carries of a population acts as the whole did, and says so under digests of its own."""

import pytest
import safetensors.torch

from crossplay.agents.networks import WEIGHTS
from crossplay.benchmark.config import build
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.match import play
from crossplay.leaderboard.run import train
from crossplay.leaderboard.site import sites
from crossplay.leaderboard.suite import Suite
from crossplay.leaderboard.yardsticks import measure_bounds, measure_diversity
from crossplay.populations.parcel import parcel
from crossplay.populations.population import load_population, verify

PPO = {"ppo": {"rollout": 5}, "budget": {"steps": 160, "games": 8}}
SUITE = {
    "name": "carried",
    "games": [{"game": {"kind": "collab-grid", "horizon": 10}, "training": PPO}],
    "held_out": [{"kind": "scripted"}, {"kind": "self_play", "name": "stranger", "seeds": 2}],
}


def bounds_of(root):
    """Rows of the bounds that a short best response gives."""
    settings = ["ppo.rollout=5", "budget.steps=160", "budget.games=8"]
    return measure_bounds(root, episodes=4, settings=settings, jobs=1, tell=lambda progress: None).bounds.rows


def known(rows):
    """What rows say, less the partners' digests."""
    return [(row.partner, row.seat, row.low, row.high, row.error, row.unmeasured) for row in rows]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    (place,) = sites(build(Suite, SUITE), tmp_path_factory.mktemp("carried"))
    train([place], 1, lambda progress: None)
    measure_diversity(place.root, episodes=2, jobs=1, tell=lambda progress: None)
    return place.game, place.root


def test_partners_without_critics_play_as_they_did(made, tmp_path):
    game, root = made
    whole, carried = load_population(root), parcel(root, tmp_path / "parcel")
    assert verify(tmp_path / "parcel") == carried
    for before, after in zip(whole.held_out, carried.held_out, strict=True):
        assert before.path == after.path
        assert (before.digest == after.digest) == (before.family == "scripted")
        one, other = before.load(root).policy(game), after.load(tmp_path / "parcel").policy(game)
        games = [play(game, [p, p], episodes=4, game_seed=1, policy_seeds=[2, 3]).returns for p in (one, other)]
        assert games[0].tolist() == games[1].tolist()
        if before.digest != after.digest:
            sizes = [(where / before.path / WEIGHTS).stat().st_size for where in (root, tmp_path / "parcel")]
            assert sizes[1] < 0.6 * sizes[0]


def test_a_best_response_learns_the_same_from_either(made, tmp_path):
    _, root = made
    parcel(root, tmp_path / "parcel")  # before any bounds are known
    assert known(bounds_of(root)) == known(bounds_of(tmp_path / "parcel"))


def test_what_was_measured_goes_along(made, tmp_path):
    _, root = made
    before = bounds_of(root)
    carried = parcel(root, tmp_path / "parcel")
    assert known(carried.bounds.rows) == known(before)
    assert carried.diversity.effective_rank == load_population(root).diversity.effective_rank
    assert bounds_of(tmp_path / "parcel") == carried.bounds.rows


def test_half_a_critic_is_refused(made, tmp_path):
    game, root = made
    carried = parcel(root, tmp_path / "parcel")
    member = next(m for m in carried.held_out if m.family == "self_play")
    card = member.load(tmp_path / "parcel")
    weights = safetensors.torch.load_file(root / member.path / WEIGHTS)
    lost = {k: v for k, v in weights.items() if not k.endswith("critic.1.bias")}
    broken = card.save(tmp_path / "broken", {WEIGHTS: safetensors.torch.save(lost)})
    with pytest.raises(Refused, match=r"missing tensor nets.0.critic.1.bias"):
        broken.policy(game)
