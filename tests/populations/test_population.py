"""Manifests: two parts that share nothing, and one changed byte is refused."""

import pytest

from crossplay.benchmark.card import Card
from crossplay.benchmark.errors import Refused
from crossplay.populations.population import MANIFEST, assemble, load_population, verify


def cards(root, *names, family="self_play", **changes):
    return [
        Card(
            **{
                "name": name,
                "maker": {"kind": "constant", "action": number},
                "family": family,
                "lineage": name.split("-")[0],
                **changes,
            }
        ).save(root / "cards" / name, {"w": name.encode()})
        for number, name in enumerate(names)
    ]


@pytest.fixture
def root(tmp_path):
    made = cards(tmp_path, "ann-0", "ann-1"), cards(tmp_path, "bob-0", "bob-1", family="scripted")
    assemble("p", "g-v1", tmp_path, *made, {"seed": 0}).save(tmp_path)
    return tmp_path


def test_a_manifest_comes_back_equal(root):
    population = verify(root)
    assert [m.name for m in population.train] == ["ann-0", "ann-1"]
    assert population.unseen_families == ["scripted"]
    train, held_out = population.cards(root)
    assert [card.name for card in (*train, *held_out)] == ["ann-0", "ann-1", "bob-0", "bob-1"]


def test_every_changed_byte_of_a_manifest_is_refused(root):
    path = root / MANIFEST
    good = path.read_bytes()
    for position in range(0, len(good), 7):
        path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        with pytest.raises(Refused, match=MANIFEST):
            load_population(root)
    path.write_bytes(good + b"\n")
    with pytest.raises(Refused, match="altered"):
        load_population(root)


def test_a_changed_card_is_refused(root):
    (root / "cards/ann-1/w").write_bytes(b"other")
    with pytest.raises(Refused, match=r"ann-1.*altered"):
        verify(root)
    cards(root, "x", "y", "ann-1")  # another agent under the same name
    with pytest.raises(Refused, match=r"ann-1.*digest"):
        verify(root)


def test_no_lineage_and_no_behaviour_on_both_sides(tmp_path):
    ann, again = cards(tmp_path, "ann-0", "ann-1")
    with pytest.raises(Refused, match="lineage 'ann' is both trained with and held out"):
        assemble("p", "g-v1", tmp_path, [ann], [again], {})
    twin = cards(tmp_path, "twin", files={"w": ann.files["w"]})
    (copy,) = [Card(**{**twin[0].__dict__, "files": ann.files})]
    with pytest.raises(Refused, match=r"digest .* is both"):
        assemble("p", "g-v1", tmp_path, [ann], [copy], {})


def test_the_digest_follows_content_not_names(tmp_path):
    one = assemble("p", "g-v1", tmp_path, cards(tmp_path, "ann-0"), [], {"seed": 0})
    renamed = assemble("q", "g-v1", tmp_path, cards(tmp_path, "ann-0"), [], {"seed": 0})
    other = assemble("p", "g-v1", tmp_path, cards(tmp_path, "ann-0"), [], {"seed": 1})
    assert one.digest == renamed.digest != other.digest
