"""Human proxies: cloned from one half of the games only, better than habit, and not stuck where the rule is on."""

import numpy as np
import pytest

from crossplay.agents.cloning import Cloning
from crossplay.agents.networks import Architecture
from crossplay.benchmark.config import from_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Observation
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.games.overcooked.game import Overcooked
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import spread
from crossplay.populations import bc
from crossplay.populations.bc import BC
from crossplay.populations.generator import generate

GAME = Overcooked(layout="cramped_room")
STAY = 4
PLAN = BC(seeds=1, architecture=Architecture(hidden=(16,)), cloning=Cloning(epochs=2))


def cloned(tmp_path, name, plan=PLAN, seed=0):
    (card,) = generate(plan, GAME, tmp_path / name, seed=seed)
    return card


def test_a_clone_foretells_people_it_has_not_seen_better_than_their_habits_do(tmp_path):
    plan = BC(seeds=1, cloning=Cloning(epochs=8))
    card = cloned(tmp_path, "a", plan)
    assert (card.family, card.name, card.record["split"]) == ("bc", "bc-train-0", "train")
    assert card.record["log_likelihood"] > card.record["frequencies"]["log_likelihood"] + 0.1


def test_equal_seeds_make_equal_clones(tmp_path):
    assert cloned(tmp_path, "a").digest == cloned(tmp_path, "b").digest != cloned(tmp_path, "c", seed=1).digest


@pytest.mark.parametrize("split", ["train", "test"])
def test_nothing_is_fitted_to_the_other_half(tmp_path, monkeypatch, split):
    plan = BC(seeds=1, split=split, architecture=PLAN.architecture, cloning=Cloning(epochs=1))
    honest = cloned(tmp_path, "honest", plan)
    assert honest.lineage == f"{GAME.spec.name}/bc/{split}"
    true = bc.examples

    def altered(half):
        def examples(layout, asked, view):
            found = true(layout, asked, view)
            return found._replace(actions=5 - found.actions) if asked == half else found

        return examples

    monkeypatch.setattr(bc, "examples", altered(bc.OTHER[split]))
    other = cloned(tmp_path, "other", plan)
    assert other.digest == honest.digest
    assert other.record["log_likelihood"] != honest.record["log_likelihood"]
    monkeypatch.setattr(bc, "examples", altered(split))
    assert cloned(tmp_path, "own", plan).digest != honest.digest


def test_halves_hold_different_games():
    ours, theirs = (bc.examples("cramped_room", split, "compact") for split in ("train", "test"))
    assert ours.size == 2 * 9564  # every recorded frame, both seats
    assert not set(ours.games.tolist()) & set(theirs.games.tolist())


def test_the_rule_forbids_what_led_nowhere_in_its_own_episode_only():
    """Staying is forbidden at the fourth equal pose; an episode whose cook turns is left alone."""
    policy = from_table(POLICIES, {"kind": "unstuck", "maker": {"kind": "constant", "action": STAY}}, "").make(
        GAME, None
    )
    state = GAME.reset(spread(0, 2))
    seen = GAME.observe(state, policy.view)
    features, legal = seen.features[:, 0].copy(), seen.legal[:, 0]
    floors = int(np.flatnonzero(features[0])[2] // 2)  # after one's own cell and the other's comes one's own facing
    memory, done = policy.begin(spread(1, 2), 0), []
    for step in range(5):
        turning = features.copy()
        turning[1, 2 * floors : 2 * floors + 4] = np.eye(4)[step % 4]
        actions, memory = policy.act(Observation(turning, legal), memory)
        done.append(actions.tolist())
    assert [own for own, _ in done] == [STAY, STAY, STAY, 0, 1]  # the first legal one, then the first but that
    assert [other for _, other in done] == [STAY] * 5


def test_an_unstuck_clone_is_the_same_network_under_another_name(tmp_path):
    plain = cloned(tmp_path, "plain")
    ruled = cloned(tmp_path, "ruled", BC(seeds=1, unstuck=True, architecture=PLAN.architecture, cloning=PLAN.cloning))
    assert (ruled.name, ruled.files) == ("bc-train-0-unstuck", plain.files)
    assert ruled.digest != plain.digest


@pytest.mark.parametrize(
    ("game", "said"),
    [
        (CollabGrid(), "recorded in overcooked only; given collab-grid"),
        (Overcooked(layout="bottleneck"), "nobody was recorded in layout 'bottleneck'; those with games: cramped_room"),
        (Overcooked(dynamics="interact"), "recorded under classic dynamics; given 'interact'"),
    ],
)
def test_games_nobody_was_recorded_in_are_refused(game, said, tmp_path):
    with pytest.raises(Refused, match=said):
        generate(PLAN, game, tmp_path, seed=0)


def test_the_rule_knows_poses_in_overcooked_only():
    maker = from_table(POLICIES, {"kind": "unstuck", "maker": {"kind": "uniform"}}, "")
    with pytest.raises(Refused, match="asked to play collab-grid"):
        maker.make(CollabGrid(), None)
