"""The programs that come with the package: competent in most kitchens, diverse, and open about their origin."""

import re
from dataclasses import replace
from itertools import combinations

import pytest

from crossplay.benchmark.check import check_policy
from crossplay.benchmark.config import from_text
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games import Overcooked
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.games.overcooked.layouts import CLASSIC_FIVE
from crossplay.benchmark.match import play
from crossplay.benchmark.registry import POLICIES
from crossplay.populations.diversity import effective_rank
from crossplay.populations.fingerprint import NEAR, distance, fingerprints
from crossplay.populations.generator import generate
from crossplay.populations.llm.generator import SHIPPED, LLMProgram, load, shipped
from crossplay.populations.llm.words import ORDERS, PREDICATES
from crossplay.populations.scripted import overcooked  # noqa: F401  registers the rule partners

GREEDY = "overcooked-greedy"
HELPLESS = ("overcooked-onion-only", "overcooked-dish-only")  # each delivers nothing alone or with its like
SOUPS = 80  # four soups in 400 steps, in the worse seat


def earned(one, other, game, episodes=12):
    return play(game, [one, other], episodes=episodes, game_seed=1, policy_seeds=[2, 3]).returns[:, 0].mean()


def worse_seat(actor, mate, game):
    return min(earned(actor, mate, game), earned(mate, actor, game))


def mates(game):
    return [from_text(POLICIES, text).make(game, None) for text in HELPLESS]


def test_six_to_eight_programs_are_shipped():
    assert 6 <= len(shipped()) <= 8


@pytest.mark.parametrize("name", shipped())
def test_each_is_competent_in_most_of_the_classic_kitchens(name):
    """With itself, or with a specialist who delivers nothing without help; and greedy never starves with it."""
    program, able = load(shipped()[name]).program, []
    for layout in CLASSIC_FIVE:
        game = Overcooked(layout=layout)
        actor = program.make(game, None)
        best = max(earned(actor, actor, game), *(worse_seat(actor, mate, game) for mate in mates(game)))
        able += [layout] if best >= SOUPS else []
        assert worse_seat(actor, from_text(POLICIES, GREEDY).make(game, None), game) >= 20, layout
        print(f"{name} in {layout}: {best:.0f}")
    assert len(able) >= 3, f"{name} earns {SOUPS} in {able} only"


@pytest.mark.parametrize("name", shipped())
@pytest.mark.parametrize("dynamics", ["classic", "interact"])
def test_each_is_a_policy_and_delivers_under_both_dynamics(name, dynamics):
    game = Overcooked(layout="asymmetric_advantages", dynamics=dynamics)
    actor = load(shipped()[name]).program.make(game, None)
    assert check_policy(actor, replace(game, horizon=80), 1, episodes=3) == []
    assert worse_seat(actor, from_text(POLICIES, GREEDY).make(game, None), game) >= SOUPS


@pytest.mark.parametrize("layout", ["cramped_room", "coordination_ring"])
def test_no_two_are_near_duplicates(layout, tmp_path):
    game = Overcooked(layout=layout)
    prints = fingerprints(game, generate(LLMProgram(), game, tmp_path, seed=0))
    apart = {(a.name, b.name): distance(a, b) for a, b in combinations(prints, 2)}
    print(f"{layout}: nearest {min(apart.items(), key=lambda item: item[1])}")
    assert min(apart.values()) >= 2 * NEAR, min(apart.items(), key=lambda item: item[1])


def test_conventions_clash_and_match(tmp_path):
    """Who goes well with whom differs: the cross-play matrix has more than one direction."""
    game = Overcooked(layout="cramped_room")
    actors = [load(path).program.make(game, None) for path in shipped().values()]
    matrix = [[earned(one, other, game, episodes=4) for other in actors] for one in actors]
    rank = effective_rank(matrix)
    print(f"effective rank of {len(actors)} programs: {rank:.2f}")
    assert rank >= 2


@pytest.mark.parametrize("name", shipped())
def test_cards_say_where_they_come_from(name, tmp_path):
    (card,) = generate(LLMProgram(programs=(name,)), Overcooked(), tmp_path, seed=0)
    assert (card.family, card.name) == ("llm-program", f"program-{name}")
    assert card.record["author_model"]
    assert card.record["written"] == "2026-11-27"
    assert card.record["prompt"].startswith("You write a partner")
    assert card.record["prompt"].endswith(card.record["convention"])
    assert "not sent in these words" in card.record["note"]
    assert card.game == Overcooked().spec.name


def test_the_prompt_names_the_whole_vocabulary():
    said = " ".join((SHIPPED / "prompt.txt").read_text().split())
    plain = {name.removeprefix("partner_") for name in PREDICATES} - {"tomato_side"}
    assert [name for name in plain if name not in said] == []
    macros = {re.sub(r" \d$", "", name) for name in ORDERS}
    assert [macro for macro in macros if macro not in said] == []


def test_what_is_refused(tmp_path):
    with pytest.raises(Refused, match="unknown program 'plater2'; did you mean 'plater'"):
        LLMProgram(programs=("plater2",)).tasks(Overcooked(), tmp_path, seed=0, device="cpu")
    with pytest.raises(Refused, match="the program names plater are given twice"):
        LLMProgram(programs=("plater", "plater")).tasks(Overcooked(), tmp_path, seed=0, device="cpu")
    with pytest.raises(Refused, match="programs are written for overcooked; given collab-grid"):
        LLMProgram().tasks(CollabGrid(), tmp_path, seed=0, device="cpu")
    with pytest.raises(Refused, match=r"none\.json: cannot be read"):
        LLMProgram(programs=(str(tmp_path / "none.json"),)).tasks(Overcooked(), tmp_path, seed=0, device="cpu")


def test_a_program_of_ones_own(tmp_path):
    text = shipped()["plater"].read_text().replace('"plater"', '"mine"', 1)
    (tmp_path / "mine.json").write_text(text.replace('"date"', '"prompt": "a plater, please", "date"', 1))
    (card,) = generate(LLMProgram(programs=(str(tmp_path / "mine.json"),)), Overcooked(), tmp_path / "out", seed=0)
    assert (card.name, card.record["prompt"]) == ("program-mine", "a plater, please")
