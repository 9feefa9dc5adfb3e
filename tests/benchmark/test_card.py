"""Cards: behaviour is hashed, names are not; files that changed are refused."""

import pytest

from crossplay.benchmark.card import Card, load_card
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.match import play


def card(**changes):
    fields = {"name": "ann", "maker": {"kind": "uniform"}, "family": "self_play", "lineage": "ann"}
    return Card(**{**fields, **changes})


def test_the_digest_covers_behaviour_and_nothing_else():
    same = [card(name="bob"), card(family="other"), card(lineage="x"), card(trained_with=("d",)), card(record={"a": 1})]
    assert {c.digest for c in same} == {card().digest}
    other = [card(maker={"kind": "constant"}), card(maker={"kind": "constant", "action": 1}), card(files={"w": "0"})]
    assert len({c.digest for c in [card(), *other]}) == 4


def test_a_saved_card_comes_back_equal(tmp_path):
    saved = card(trained_with=("a", "b"), record={"curve": [[1, 2.5]]}).save(tmp_path / "ann", {"w": b"weights"})
    assert load_card(tmp_path / "ann") == saved
    assert saved.files.keys() == {"w"}


@pytest.mark.parametrize("damage", [b"weight", b"Weights", b""])
def test_altered_or_truncated_files_are_refused(tmp_path, damage):
    card().save(tmp_path, {"w": b"weights"})
    (tmp_path / "w").write_bytes(damage)
    with pytest.raises(Refused, match=r"w was altered: SHA-256 \w+…, the card says"):
        load_card(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    card().save(tmp_path, {"w": b"weights"}).root.joinpath("w").unlink()
    with pytest.raises(Refused, match="w is missing"):
        load_card(tmp_path)


def test_unknown_makers_and_fields_are_refused_with_the_nearest_name(tmp_path):
    with pytest.raises(Refused, match=r"card 'ann'.*did you mean 'uniform'"):
        card(maker={"kind": "unifrom"}).policy(CollabGrid())
    path = card().save(tmp_path).root / "card.toml"
    path.write_text(path.read_text().replace("lineage", "linage"))
    with pytest.raises(Refused, match="did you mean 'lineage'"):
        load_card(tmp_path)


def test_a_card_plays_only_the_game_it_was_made_for():
    with pytest.raises(Refused, match=r"made for other-v1; asked to play collab-grid-v1"):
        card(game="other-v1").policy(CollabGrid())
    policy = card().policy(CollabGrid())
    found = play(CollabGrid(), [policy, policy], episodes=3, game_seed=0, policy_seeds=[1, 2])
    assert found.returns.shape == (3, 2)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(Refused, match="cannot write card 'ann'"):
        card().save(tmp_path / "file" / "ann")
