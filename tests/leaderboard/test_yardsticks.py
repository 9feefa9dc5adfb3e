"""Bounds of held-out partners: right by hand, the same however they were come by, and never a free score."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from crossplay.agents import learning
from crossplay.benchmark.card import CARD_FILE, Card
from crossplay.benchmark.config import to_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.matrix import Matrix
from crossplay.leaderboard.yard import MEASURED
from crossplay.leaderboard.yardsticks import complete_bounds, measure_bounds, measure_diversity, thin_out
from crossplay.populations.bounds import CLEAR
from crossplay.populations.population import MANIFEST, assemble, load_population, verify

SHARED = Matrix(game="custom", payoffs=((3.0, 1.0), (0.0, 2.0)))
GREEDY = Matrix(game="custom", payoffs=(((2.0, 2.0), (-3.0, 3.0)), ((3.0, -3.0), (0.0, 0.0))))  # own gain, team's loss
HOPELESS = Matrix(game="custom", payoffs=((1.0, 0.0), (0.0, 0.0)))
QUICK = ["budget.steps=4000", "ppo.rollout=5", "ppo.entropy=0", "ppo.learning_rate=0.01"]


def populate(root, game, constants=(0, 1), training=None):
    """A population of partners who always do the same."""
    cards = [
        Card(name=f"always-{a}", maker={"kind": "constant", "action": a}, family="scripted", lineage=f"s/{a}").save(
            root / "cards" / f"always-{a}"
        )
        for a in constants
    ]
    recipe = {"seed": 5, "game": to_table(game), "training": training or {}}
    assemble("p", game.spec.name, root, [], cards, recipe).save(root)
    return root


TRAINING = {"budget": {"steps": 4000}, "ppo": {"rollout": 5, "entropy": 0, "learning_rate": 0.01}}


def complete(root, episodes=400):
    return complete_bounds(root, episodes=episodes, jobs=1, tell=lambda progress: None)


def measure(root, episodes=400, settings=QUICK, jobs=1):
    return measure_bounds(root, episodes=episodes, settings=settings, jobs=jobs, tell=lambda progress: None)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    root = populate(tmp_path_factory.mktemp("whole"), SHARED)
    measure(root)
    return root


def test_bounds_of_a_small_game_are_those_found_by_hand(whole):
    rows = {(row.partner, row.seat): row for row in verify(whole).bounds.rows}
    by_hand = {("always-0", 0): (1.5, 3), ("always-0", 1): (2, 3), ("always-1", 0): (1.5, 2), ("always-1", 1): (1, 2)}
    assert rows.keys() == by_hand.keys()
    for spot, (low, high) in by_hand.items():
        assert rows[spot].low == pytest.approx(low, abs=0.2)
        assert rows[spot].high == pytest.approx(high, abs=0.03)
        assert not rows[spot].unmeasured
        assert rows[spot].score(rows[spot].low) == 0
        assert rows[spot].score(2 * rows[spot].high - rows[spot].low) == pytest.approx(2), "never clipped"


def test_measuring_makes_nobody_another_partner(whole, tmp_path):
    before = load_population(populate(tmp_path, SHARED))
    assert before.bounds is None
    assert load_population(whole).digest == before.digest
    assert "goal" not in load_population(whole).bounds.trainer


def test_the_best_response_maximises_what_is_scored(tmp_path):
    found = measure(populate(tmp_path, GREEDY, [0])).bounds
    assert found.trainer["goal"] == "team"
    assert [row.high for row in found.rows] == pytest.approx([2, 2], abs=0.05), "for itself it would earn 3, both 0"


def test_a_partner_who_makes_scoring_impossible_has_no_bound(tmp_path):
    found = measure(populate(tmp_path, HOPELESS)).bounds
    for seat in (0, 1):
        assert found.row("always-0", seat).high == pytest.approx(1, abs=0.03)
        row = found.row("always-1", seat)
        assert (row.low, row.high) == (0, 0)
        assert "not 3 standard errors better than uniform play" in row.unmeasured
        assert row.score(0.0) is None
        assert row.score(1.0) is None
    with pytest.raises(Refused, match=r"unknown bound of partner 'always-2, seat 0'"):
        found.row("always-2", 0)


def test_luck_is_no_bound(tmp_path):
    """A best response that has not learned is as good as uniform play, give or take what four episodes vary by."""
    found = measure(populate(tmp_path, HOPELESS), episodes=4, settings=["budget.steps=5", "ppo.rollout=5"]).bounds
    for row in found.rows:
        assert bool(row.unmeasured) == (row.high - row.low <= CLEAR * row.error)
    assert any(row.unmeasured for row in found.rows)


def poison(monkeypatch, *lost):
    """The trainings of these numbers do not outlive a thousand steps."""
    real = learning.Learning.iterate

    def poisoned(self):
        real(self)
        if self.steps > 1000:
            for number in lost:
                self.method.learners[0].flat.data[number] = float("nan")

    monkeypatch.setattr(learning.Learning, "iterate", poisoned)


def test_a_best_response_that_came_to_nothing_is_said(tmp_path, monkeypatch):
    poison(monkeypatch, 0)
    found = measure(populate(tmp_path, HOPELESS, [1])).bounds
    for row in found.rows:
        assert row.score(1.0) is None
        assert "not finite" in row.unmeasured
        assert "stopped at step" in row.unmeasured
        assert "learning_rate" in row.unmeasured
    load_population(tmp_path)


def test_held_out_partners_stand_in_for_a_best_response_that_came_to_nothing_and_the_others_are_kept(
    tmp_path, monkeypatch
):
    poison(monkeypatch, 1)
    found = measure(populate(tmp_path, SHARED)).bounds
    cards = [(tmp_path / MEASURED / f"br-always-{number}" / CARD_FILE).is_file() for number in (0, 1)]
    assert cards == [True, False]
    assert [row.by for row in found.rows[2:]] == ["always-1", "always-1"]
    assert [row.high for row in found.rows] == pytest.approx([3, 3, 2, 2], abs=0.03)
    assert not any(row.unmeasured for row in found.rows)


def test_of_a_trained_response_and_the_held_out_the_better_is_the_yardstick(tmp_path, whole):
    """One that has hardly learned gives way to who answers best by hand; no yardstick falls short of that."""
    found = measure(populate(tmp_path, SHARED), settings=["budget.steps=5", "ppo.rollout=5"]).bounds
    assert [(row.partner, row.seat, row.high) for row in found.rows if row.by] == [
        ("always-0", 0, 3),
        ("always-0", 1, 3),
        ("always-1", 0, 2),
        ("always-1", 1, 2),
    ]
    assert all(
        row.high >= 0.98 * {"always-0": 3, "always-1": 2}[row.partner] for row in load_population(whole).bounds.rows
    )


def test_what_is_missing_is_measured_as_what_is_there(whole, tmp_path, monkeypatch):
    """A run goes on with the bounds that come with its partners, however they were measured."""
    root = populate(tmp_path, SHARED)
    (root / MANIFEST).write_bytes(manifest(whole))
    twin(root)
    found = complete(root, episodes=7).bounds
    before = load_population(whole).bounds
    assert found.rows[: len(before.rows)] == before.rows
    assert [row.partner for row in found.rows[len(before.rows) :]] == ["zwilling", "zwilling"]
    assert (found.trainer, found.episodes) == (before.trainer, 400)
    shutil.rmtree(root / MEASURED)
    monkeypatch.setattr(learning, "learn", None)  # no training could be done
    assert complete(root, episodes=7).bounds == found
    assert not (root / MEASURED).exists(), "nor was anything played"


def test_without_bounds_all_are_measured(whole, tmp_path):
    assert complete(populate(tmp_path, SHARED, training=TRAINING)).bounds.rows == load_population(whole).bounds.rows


def manifest(root):
    return (root / MANIFEST).read_bytes()


def test_any_number_of_processes_measures_the_same(whole, tmp_path):
    measure(populate(tmp_path, SHARED), jobs=2)
    assert manifest(tmp_path) == manifest(whole)


def test_measured_bounds_are_kept_and_others_measured_anew(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "learn", None)  # no training could be done
    before = manifest(whole)
    assert manifest(whole) == before == (measure(whole), manifest(whole))[1]
    root = populate(tmp_path, SHARED)
    (root / MANIFEST).write_bytes(before)
    measure(root)
    assert manifest(root) == before, "from the manifest alone"
    with pytest.raises(TypeError, match="not callable"):
        measure(root, settings=[*QUICK, "ppo.gamma=0.5"])


def test_an_interrupted_measurement_goes_on_where_it_stopped(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(learning, "CHECKPOINT_SECONDS", 0.0)
    root, real, begun = populate(tmp_path, SHARED), learning.Learning.iterate, []

    def stopping(self):
        begun.append(self.steps)
        if self.steps >= 2000:
            raise KeyboardInterrupt
        real(self)

    monkeypatch.setattr(learning.Learning, "iterate", stopping)
    with pytest.raises(KeyboardInterrupt):
        measure(root)
    assert load_population(root).bounds is None
    assert len(list((root / MEASURED).rglob("*.training"))) == 2

    def watched(self):
        begun.append(self.steps)
        real(self)

    begun.clear()
    monkeypatch.setattr(learning.Learning, "iterate", watched)
    measure(root)
    assert begun[0] > 1500
    assert manifest(root) == manifest(whole)


def command(root):
    settings = [word for setting in QUICK for word in ("--set", setting)]
    words = ["population", "bounds", str(root), "--episodes", "400", *settings, "--jobs", "1"]
    return [sys.executable, "-m", "crossplay.leaderboard.cli", *words]


def test_killed_and_run_again_the_command_ends_the_same(whole, tmp_path):
    root, nowhere = populate(tmp_path, SHARED), subprocess.DEVNULL
    process = subprocess.Popen(command(root), stdout=nowhere, stderr=nowhere, start_new_session=True)
    end = time.monotonic() + 60
    while process.poll() is None and not list(root.glob(f"{MEASURED}/*/*.curve")):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert process.poll() is None, "over before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert load_population(root).bounds is None
    last = subprocess.run(command(root), capture_output=True, timeout=120, check=False)
    assert last.returncode == 0, last.stderr.decode()
    assert manifest(root) == manifest(whole)
    assert "always-1" in last.stdout.decode()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("low = 1.", "low = 0.", "altered"),
        ("episodes = 400", "episodes = 401", "altered"),
        ('unmeasured = ""', 'unmeasured = "x"', "do not go together"),
        ("seat = 0", "seat = 1", "sorted by partner and seat, each once"),
        ('[[bounds.rows]]\npartner = "always-0"', '[[bounds.rows]]\npartner = "always-2"', "not held out here"),
    ],
)
def test_a_tampered_bound_is_refused(whole, tmp_path, old, new, words):
    root = populate(tmp_path, SHARED)
    text = manifest(whole).decode()
    assert old in text
    (root / MANIFEST).write_text(text.replace(old, new, 1))
    with pytest.raises(Refused, match=words):
        load_population(root)


def test_rehashing_the_text_alone_does_not_help(whole, tmp_path):
    """A bound changed, and the text's own hash mended: the section's digest still tells."""
    from crossplay.benchmark.config import sha256

    root = populate(tmp_path, SHARED)
    body = manifest(whole).decode().rpartition("\n# sha256")[0].replace("low = 1.", "low = 0.", 1)
    (root / MANIFEST).write_text(f"{body}\n# sha256 {sha256(body)}\n")
    with pytest.raises(Refused, match="digest of its bounds"):
        load_population(root)


def test_what_cannot_be_measured_is_refused(tmp_path):
    root = populate(tmp_path, SHARED)
    with pytest.raises(Refused, match="at least 2 episodes"):
        measure(root, episodes=1)
    with pytest.raises(Refused, match="did you mean 'steps'"):
        measure(root, settings=["budget.stps=3"])
    (root / "bare").mkdir()
    assemble("bare", "g-v1", root / "bare", [], [], {}).save(root / "bare")
    with pytest.raises(Refused, match="its recipe names no game"):
        measure(root / "bare")


def test_diversity_by_hand(tmp_path):
    """Four partners in an agreement game, two of them the same under two names: the ranks and the pair are known."""
    agree = Matrix(game="custom", payoffs=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
    root = populate(tmp_path, agree, [0, 1, 2])
    found = measure_diversity(root, episodes=4, jobs=1, tell=lambda progress: None).diversity
    assert found.effective_rank == pytest.approx(3)
    assert [(skill.partner, skill.itself) for skill in found.skills] == [
        ("always-0", 1),
        ("always-1", 1),
        ("always-2", 1),
    ]
    assert found.near == ()
    assert 0 < found.event_volume < 1
    assert found.event_rank == 3
    assert load_population(root).diversity == found
    assert load_population(root).digest == load_population(populate(tmp_path / "other", agree, [0, 1, 2])).digest


def twin(root):
    """Adds a partner that is always-1 in other words: a policy that trembles not at all."""
    population = load_population(root)
    maker = {"kind": "noisy", "epsilon": 0.0, "maker": {"kind": "constant", "action": 1}}
    card = Card(name="zwilling", maker=maker, family="scripted", lineage="s/z").save(root / "cards" / "zwilling")
    held_out = [*population.cards(root)[1], card]
    assemble("p", population.game, root, [], held_out, population.recipe).measured_as(root).save(root)
    return root


def test_near_duplicates_are_told_and_taken_out(tmp_path):
    root = populate(tmp_path, SHARED)
    measure(root)
    bounds = load_population(root).bounds
    twin(root)
    assert load_population(root).bounds == bounds, "what was measured of the others is kept"
    found = measure_diversity(root, episodes=4, jobs=1, tell=lambda progress: None).diversity
    assert [(near.one, near.other) for near in found.near] == [("always-1", "zwilling")]
    assert (found.event_volume, found.event_rank) == (None, 2), "a kernel without full rank has no volume"
    before = load_population(root).digest
    (gone,) = thin_out(root)
    assert (gone.one, gone.other, gone.distance) == ("zwilling", "always-1", 0.0)
    left = load_population(root)
    assert [member.name for member in left.held_out] == ["always-0", "always-1"]
    assert left.recipe["removed"] == [{"one": "zwilling", "other": "always-1", "distance": 0.0}]
    assert left.digest != before
    assert left.bounds == bounds
    assert left.diversity is None
    assert thin_out(root) == ()
