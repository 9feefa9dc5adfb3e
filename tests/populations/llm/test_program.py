"""Programs: what validates plays every kitchen to the end; what does not is refused with the nearest match."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossplay.benchmark.card import Card, load_card
from crossplay.benchmark.check import check_policy
from crossplay.benchmark.config import to_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games import Matrix, Overcooked
from crossplay.benchmark.match import play
from crossplay.benchmark.seeding import spread
from crossplay.populations.llm.program import Program, Rule, parse
from crossplay.populations.llm.words import OPERATORS, ORDERS, PREDICATES, THINGS
from tests.populations.llm.kitchens import EAST, NORTH, STAY, WEST, kitchen

COOK, MATE = ((1, 1), NORTH, None), ((3, 1), NORTH, None)
SIMPLE = {"rules": [{"when": [["holding", "==", "nothing"]], "do": "get onion"}], "default": "put in nearest pot"}


def first(program, cooks, objects=(), seat=0, episodes=1, **setting):
    """First actions [episodes] of a program's cook."""
    game, state = kitchen(cooks, objects, episodes, **setting)
    actor = program.make(game, None)
    symbols = game.observe(state, "symbols").of(seat, slice(None))
    return actor.act(symbols, actor.begin(spread(7, episodes), seat))[0]


CUT = {"layout": "forced_coordination"}
LEFT, RIGHT = ((1, 2), NORTH, None), ((3, 2), NORTH, None)
SOUP = ("soup3", (2, 0), 12)
FACTS = [
    ([COOK, MATE], (), {}, "holding == nothing, partner_holding == nothing, pots == 1, pots_open == 1, seat == 0"),
    ([COOK, ((3, 1), NORTH, "dish")], (), {}, "partner_holding == dish, partner_holding != onion"),
    ([COOK, MATE], (("soup1", (2, 0), -1),), {}, "fullest_pot == 1, onions_wanted == 2, tomatoes_wanted == 0"),
    ([COOK, MATE], (SOUP,), {}, "soups_cooking == 1, soups_ready == 0, ticks_to_soup == 8, pots_open == 0"),
    ([COOK, MATE], (("soup3", (2, 0), 20),), {}, "soups_ready == 1, soups_cooking == 0, ticks_to_soup == 0"),
    ([COOK, MATE], (("soup3", (2, 0), -1),), {"dynamics": "interact"}, "pots_to_start == 1, ticks_to_soup == 99"),
    ([COOK, MATE], (), {}, "onion_distance == 1, tomato_distance == 99, dish_distance == 1, pot_distance == 2"),
    ([COOK, MATE], (), {}, "window_distance == 4, partner_onion_distance == 1, partner_window_distance == 1"),
    ([COOK, ((2, 1), NORTH, None)], (), {}, "pot_distance == 99, partner_pot_distance == 0, partner_distance == 1"),
    ([COOK, ((2, 1), WEST, None)], (), {}, "partner_faces_me == 1, partner_idle == 0, blocked == 0, steps == 0"),
    ([COOK, MATE], (("dish", (1, 0), -1), ("onion", (3, 0), -1)), {}, "counter_dishes == 1, counter_onions == 1"),
    (
        [COOK, MATE],
        (),
        {},
        "counter_soups == 0, hurry == 0, partner_faces_me == 0, handover_free == 0, onion_side == 1",
    ),
    ([LEFT, RIGHT], (), CUT, "onion_side == 1, dish_side == 1, pot_side == 0, window_side == 0, handover_free == 3"),
    (
        [LEFT, RIGHT],
        (("dish", (2, 2), -1),),
        CUT,
        "partner_pot_side == 1, partner_window_side == 1, handover_free == 2",
    ),
]


@pytest.mark.parametrize(("cooks", "objects", "setting", "facts"), FACTS)
def test_predicates_measure_what_they_say(cooks, objects, setting, facts):
    """A cook steps out of its place where the fact holds, and waits where its contrary does."""
    for fact in facts.split(", "):
        name, sign, constant = fact.split()
        value = int(constant) if constant.isdigit() else constant
        for operator, moves in ((sign, True), ("!=" if sign == "==" else "==", False)):
            program = Program(rules=(Rule(when=((name, operator, value),), do="step aside"),), default="wait 5")
            moved = first(program, cooks, objects, **setting)[0] != STAY
            assert moved == moves, f"{name} {operator} {constant}"


def test_every_predicate_is_in_those_facts():
    told = {fact.split()[0] for *_, facts in FACTS for fact in facts.split(", ")}
    assert set(PREDICATES) - told == {
        "counter_tomatoes",
        "tomato_side",
        "partner_tomato_distance",
        "partner_dish_distance",
    }


def test_operators():
    """The pot holds 2 onions; it is compared with 3, 2 and 1."""
    truths = {"==": "010", "!=": "101", "<": "100", "<=": "110", ">": "001", ">=": "011"}
    assert tuple(truths) == OPERATORS
    for operator, constant, truth in ((o, 3 - i, t) for o, row in truths.items() for i, t in enumerate(row)):
        rule = Rule(when=(("fullest_pot", operator, constant),), do="step aside")
        moved = first(Program(rules=(rule,)), [COOK, MATE], (("soup2", (2, 0), -1),))[0] != STAY
        assert moved == (truth == "1")


def test_rules_are_asked_in_order_and_illegal_ones_passed_over():
    cooks = [((1, 1), WEST, None), MATE]
    fetch, leave = Rule(do="get onion"), Rule(do="deliver")
    assert first(Program(rules=(leave, fetch)), cooks) == 5
    assert first(Program(rules=(Rule(do="wait 5"), fetch)), cooks) == STAY
    assert first(Program(rules=(leave,), default="get onion"), cooks) == 5
    assert first(Program(rules=(leave,), default="put on counter"), cooks) == STAY, "where nothing is legal it waits"


def test_chance_is_the_episodes_own_luck():
    program = Program(rules=(Rule(do="step aside", p=0.3),), default="wait 5")
    one, again = (first(program, [COOK, MATE], episodes=2000) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert abs((one != STAY).mean() - 0.3) < 0.04


def test_hands_go_opposite_ways_round():
    """The onions of cramped_room are as far both ways from (2, 2); left is clockwise, so west along the south wall."""
    cooks = [((2, 2), NORTH, None), ((2, 1), NORTH, None)]
    for hand, action in (("left", WEST), ("right", EAST)):
        assert (first(Program(default="get onion", hand=hand), cooks, episodes=20) == action).all()
    assert set(first(Program(default="get onion"), cooks, episodes=20).tolist()) == {WEST, EAST}


def test_pots_by_what_they_are_like():
    """In coordination_ring pot 0 is (3, 0) and pot 1 (4, 1): from (3, 1), facing north, both are near."""
    cooks, half = [((3, 1), NORTH, "onion"), ((1, 2), WEST, None)], (("soup2", (4, 1), -1),)
    wanted = {"put in fullest pot": EAST, "put in emptiest pot": 5, "put in nearest pot": 5, "put in pot 1": EAST}
    for macro, action in wanted.items():
        assert first(Program(default=macro), cooks, half, layout="coordination_ring") == action
    plate = [((3, 1), NORTH, "dish"), ((1, 2), WEST, None)]
    soups = (("soup3", (3, 0), 2), ("soup3", (4, 1), 19))
    for macro, action in {"plate soonest soup": EAST, "plate nearest soup": STAY}.items():
        assert first(Program(default=macro), plate, soups, layout="coordination_ring") == action


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rules": [{"do": "get onoin"}]}, r"rules.0.do: .*unknown macro 'get onoin'; did you mean 'get onion'"),
        ({"rules": [{"when": [["holdin", "==", "dish"]], "do": "deliver"}]}, "rules.0.when.*did you mean 'holding'"),
        ({"rules": [{"when": [["steps", "=>", 3]], "do": "deliver"}]}, "unknown operator '=>'; did you mean '>'"),
        (
            {"rules": [{"when": [["holding", "==", "dsh"]], "do": "deliver"}]},
            "unknown thing 'dsh'; did you mean 'dish'",
        ),
        ({"rules": [{"when": [["holding", "<", "dish"]], "do": "deliver"}]}, "compared by == or !=; given '<'"),
        (
            {"rules": [{"when": [["steps", "<", "dish"]], "do": "deliver"}]},
            "compared with a whole number; given 'dish'",
        ),
        ({"rules": [{"when": [["steps", "<"]], "do": "deliver"}]}, r"rules.0.when.0.2: Field required"),
        ({"rules": [{"do": "deliver", "p": 1.5}]}, r"rules.0.p: .*less than or equal to 1, given 1.5"),
        ({"rules": [{"do": "deliver", "chance": 1}]}, "rules.0: unknown field of Rule 'chance'|chance"),
        ({"rules": [{"do": "deliver"}] * 65}, "rules: .*at most 64 items"),
        ({"default": "wait 6"}, "default: .*unknown macro 'wait 6'; did you mean 'wait"),
        ({"hand": "lefty"}, "hand: .*unknown hand 'lefty'; did you mean 'left'"),
        ({"defalt": "wait 1"}, "unknown field of Program 'defalt'; did you mean 'default'"),
    ],
)
def test_what_is_wrong_is_named(change, words):
    with pytest.raises(Refused, match=words):
        parse(json.dumps({**SIMPLE, **change}), "mine.json")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"rules": [}', r"mine.json: not valid JSON: .*line 1, column 12"),
        ("[]", "wanted a JSON object; given list"),
        ("[" * 100_000, "nested too deeply"),
        ('{"rules": [{"do": "deliver", "p": NaN}]}', "rules.0.p"),
    ],
)
def test_broken_text_is_refused(text, words):
    with pytest.raises(Refused, match=words):
        parse(text, "mine.json")


def test_other_games_are_refused():
    with pytest.raises(Refused, match="llm-program plays overcooked only; given matrix/"):
        Program().make(Matrix(), None)


def test_a_card_hashes_what_it_does(tmp_path):
    game = Overcooked(horizon=50)
    program = parse(json.dumps(SIMPLE))

    def card(name, program):
        return Card(name=name, maker=to_table(program), family="f", lineage=name)

    saved = load_card(card("a", program).save(tmp_path / "a").root)
    assert saved.digest == card("b", parse(json.dumps({**SIMPLE, "hand": "either"}))).digest
    assert saved.digest != card("a", parse(json.dumps({**SIMPLE, "hand": "left"}))).digest
    one, other = (
        play(game, [actor, actor], episodes=4, game_seed=0, policy_seeds=[1, 2])
        for actor in (saved.policy(game), program.make(game, None))
    )
    np.testing.assert_array_equal(one.events, other.events)
    assert one.events.sum() > 0


numbers = st.tuples(
    st.sampled_from([name for name in PREDICATES if not name.endswith("holding")]),
    st.sampled_from(OPERATORS),
    st.integers(-5, 100),
)
things = st.tuples(
    st.sampled_from(["holding", "partner_holding"]), st.sampled_from(["==", "!="]), st.sampled_from(THINGS)
)
rules = st.builds(
    Rule,
    when=st.lists(numbers | things, max_size=2).map(tuple),
    do=st.sampled_from(sorted(ORDERS)),
    p=st.floats(0, 1),
)
programs = st.builds(
    Program,
    rules=st.lists(rules, max_size=64).map(tuple),
    default=st.sampled_from(sorted(ORDERS)),
    hand=st.sampled_from(["left", "either", "right"]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(program=programs, layout=st.sampled_from(["cramped_room", "forced_coordination", "counter_circuit"]))
def test_every_program_that_validates_plays_to_the_end(program, layout):
    """Legal, a function of its seeds, alone as in a batch; and its JSON is itself again."""
    game = Overcooked(layout=layout, horizon=60, dynamics="interact", random_starts=0.5)
    assert check_policy(program.make(game, None), game, 0, episodes=3) == []
    table = to_table(program)
    assert parse(json.dumps({name: value for name, value in table.items() if name != "kind"})) == program
