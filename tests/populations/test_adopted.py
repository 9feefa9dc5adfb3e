"""Cards that are there already, taken in as partners: as they are, and with what has grown beside them."""

from crossplay.benchmark.card import Card, load_card
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.populations.adopted import Cards
from crossplay.populations.generator import generate


def card(name, **more):
    return Card(name=name, maker={"kind": "constant", "action": 1, **more}, family="mine", lineage=name)


def test_cards_are_taken_in_and_what_grew_beside_them_stays(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    for name in ("ann", "bob"):
        card(name).save(here / name, {"weights.bin": b"1"})
        (here / name / "tape.jsonl").write_text("old\n")
    taken = generate(Cards(folder=here), CollabGrid(), there, seed=0)
    assert [(one.name, one.root) for one in taken] == [("ann", there / "ann"), ("bob", there / "bob")]
    assert taken[0].digest == load_card(here / "ann").digest
    (there / "ann" / "tape.jsonl").write_text("old\nnew\n")
    generate(Cards(folder=here), CollabGrid(), there, seed=0)
    assert (there / "ann" / "tape.jsonl").read_text() == "old\nnew\n"
    card("ann", action=2).save(here / "ann", {"weights.bin": b"2"})
    again = generate(Cards(folder=here), CollabGrid(), there, seed=0)
    assert again[0].digest == load_card(here / "ann").digest
    assert (there / "ann" / "weights.bin").read_bytes() == b"2"
    assert (there / "ann" / "tape.jsonl").read_text() == "old\nnew\n", "answers were paid for"
