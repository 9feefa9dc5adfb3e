"""Seals: they name nobody, hold for the very same partners only, and can be checked by anybody after the reveal."""

import shutil
from dataclasses import replace

import pytest

from crossplay.benchmark.card import load_card
from crossplay.benchmark.config import build
from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.run import train
from crossplay.leaderboard.site import sites
from crossplay.leaderboard.suite import Suite
from crossplay.populations import seal as seals
from crossplay.populations.population import assemble, load_population

SUITE = {
    "name": "sealed",
    "games": [{"game": {"kind": "matrix"}, "training": {"budget": {"steps": 40, "games": 8}, "ppo": {"rollout": 5}}}],
    "train": [{"kind": "self_play", "name": "open", "seeds": 1}],
    "held_out": [{"kind": "scripted"}, {"kind": "self_play", "name": "stranger", "seeds": 2}],
    "entries": [{"name": "ippo", "seeds": 1, "trainer": {"kind": "ippo"}}],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    (place,) = sites(build(Suite, SUITE), tmp_path_factory.mktemp("sealed"))
    train([place], 1, lambda progress: None)
    return place.root


@pytest.fixture
def root(made, tmp_path):
    shutil.copytree(made, tmp_path / "population")
    return tmp_path / "population"


def test_a_seal_names_nobody(root, tmp_path):
    seals.seal(root, tmp_path / "seal.toml")
    text = (tmp_path / "seal.toml").read_text()
    population = load_population(root)
    for member in population.held_out:
        assert member.name not in text
        assert member.digest not in text
    assert population.digest not in text
    assert (root / seals.KEY).read_text().strip() not in text


def test_it_is_made_once_and_tells_nothing_by_its_order(root, tmp_path):
    one, other = (seals.seal(root, tmp_path / name) for name in ("a.toml", "b.toml"))
    assert one == other
    assert list(one.held_out) == sorted(one.held_out)
    (root / seals.KEY).unlink()
    assert not set(seals.seal(root, tmp_path / "c.toml").held_out) & set(one.held_out), "another key, another seal"


def test_what_is_revealed_can_be_checked_by_anybody(root, tmp_path):
    seals.seal(root, tmp_path / "seal.toml")
    seals.reveal(root, tmp_path / "seal.toml", tmp_path / "shown")
    shutil.rmtree(root)
    found = seals.check(tmp_path / "shown", tmp_path / "seal.toml")
    assert {member.name for member in found.held_out} >= {"stranger-0", "stranger-1"}
    assert not (tmp_path / "shown" / found.train[0].path).exists(), "who was trained with stays behind"


def swapped(root):
    """Another agent in a held-out partner's place, with a manifest that says so."""
    population = load_population(root)
    member = population.held_out[0]
    card = load_card(root / member.path)
    shutil.rmtree(root / member.path)
    replace(card, maker={"kind": "noisy", "maker": {"kind": "uniform"}, "epsilon": 0.5}, files={}).save(
        root / member.path
    )
    train_, held_out = ([load_card(root / m.path) for m in part] for part in (population.train, population.held_out))
    assemble(population.name, population.game, root, train_, held_out, population.recipe).save(root)


def test_another_partner_is_told(root, tmp_path):
    seals.seal(root, tmp_path / "seal.toml")
    swapped(root)
    with pytest.raises(Refused, match=r"1 of \d+ held-out partners are missing, 1 are others"):
        seals.check(root, tmp_path / "seal.toml")
    with pytest.raises(Refused, match="are others"):
        seals.reveal(root, tmp_path / "seal.toml", tmp_path / "shown")


def test_one_changed_byte_is_told(root, tmp_path):
    seals.seal(root, tmp_path / "seal.toml")
    member = next(m for m in load_population(root).held_out if m.name == "stranger-0")
    weights = root / member.path / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(Refused):
        seals.check(root, tmp_path / "seal.toml")


def test_without_the_key_nothing_can_be_told(root, tmp_path):
    seals.seal(root, tmp_path / "seal.toml")
    (root / seals.KEY).unlink()
    with pytest.raises(Refused, match="whoever sealed it has it"):
        seals.check(root, tmp_path / "seal.toml")


def test_another_key_is_told(root, tmp_path):
    seals.seal(root, tmp_path / "seal.toml")
    (root / seals.KEY).write_text("0" * 64)
    with pytest.raises(Refused, match="not what"):
        seals.check(root, tmp_path / "seal.toml")
