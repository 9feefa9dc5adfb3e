"""collab-grid's macro-actions: ways round the partner, when a choice is due, words, and a whole taped match."""

from importlib.util import find_spec

import numpy as np
import pytest

from crossplay.benchmark.card import load_card
from crossplay.benchmark.config import from_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.collab_grid import CollabGrid
from crossplay.benchmark.games.collab_grid_kernel import EVENTS, ONIONS, POT, SIZE
from crossplay.benchmark.match import Table, play_tables
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import spread
from crossplay.populations.llm import grid
from crossplay.populations.llm.live import LLMPlayer, frozen
from crossplay.populations.llm.macros import adapter
from crossplay.populations.llm.teacher import Rules
from crossplay.populations.scripted.generator import standard
from tests.leaderboard.test_cli import run
from tests.populations.llm.server import MODEL, Chef, helpful
from tests.populations.llm.test_macros import any_legal

GAME = CollabGrid()
UP, DOWN, LEFT, RIGHT, STAY = range(5)
WAITS = {f"wait {k}" for k in range(1, 6)}
NUMBER = {macro.name: number for number, macro in enumerate(grid.MACROS)}


def view(own=(1, 0), carries=0, other=(0, 1), other_carries=0, lies=(1, 1)):
    return np.array([[*own, carries, *other, other_carries, *lies]], dtype=np.float32)


def look(seen, notes=None):
    """(legal names besides waiting and stepping aside, whether one is due, memory)."""
    found = adapter("test", GAME)
    choices, notes = found.look(seen, notes or found.fresh(spread(1, len(seen)), 0))
    legal = set(found.names(np.flatnonzero(choices.legal[0])))
    assert legal >= WAITS
    return legal - WAITS - {"step aside"}, bool(choices.due[0]), notes


def test_ways_are_shortest_round_pot_and_partner():
    """Against a slow reading: lengths relaxed over all pairs of neighbours until nothing changes."""
    steps, moves = grid._ways()
    cells = [(r, c) for r in range(SIZE) for c in range(SIZE)]
    for t, target in enumerate((POT, *ONIONS)):
        for other in cells:
            slow = dict.fromkeys(cells, grid.UNREACHABLE)
            slow |= {target: 0} if target != other else {}
            for _ in cells:
                for r, c in cells:
                    if (r, c) in (POT, other):
                        continue
                    near = [slow[n] for n in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)) if n in slow]
                    slow[r, c] = min(slow[r, c], 1 + min(near)) if slow[r, c] else 0
            for own in set(cells) - {POT, other}:
                here = steps[t, cells.index(other), cells.index(own)]
                assert here == min(slow[own], grid.UNREACHABLE), (target, other, own)
                for move in moves[t, cells.index(other), cells.index(own)]:
                    if 0 < here < grid.UNREACHABLE:
                        there = tuple(np.add(own, grid.MOVES[move]).tolist())
                        assert slow[there] == here - 1
                    else:
                        assert move == (STAY if here == 0 else -1)


@pytest.mark.parametrize(
    ("seen", "legal"),
    [
        (view(), {"get right onion", "get lower onion"}),
        (view(carries=1), {"deliver"}),
        (view(lies=(0, 0)), {"get right onion", "get lower onion"}),
        (view(other=(3, 4), other_carries=1), {"get lower onion"}),
        (view(own=(0, 0), carries=1, other=(0, 1)), {"deliver"}),
    ],
)
def test_legal_is_the_right_hands_and_a_way(seen, legal):
    assert look(seen)[:2] == (legal, True)


def test_a_new_macro_is_due_when_the_last_is_pointless_blocked_or_old():
    found = adapter("test", GAME)

    def after(ticks, seen, macro="get right onion"):
        notes = found.fresh(spread(1, 1), 0)
        due = []
        for tick in range(ticks):
            choices, notes = found.look(seen(tick), notes)
            due.append(bool(choices.due[0]))
            chosen = np.array([NUMBER[macro] if tick == 0 else NUMBER["wait 5"] if due[-1] else -1])
            _, _, notes = found.step(seen(tick), notes, chosen)
        return due

    free = [(1, 0), (2, 0), (3, 0), (4, 0), (4, 1)]
    assert after(3, lambda tick: view(own=free[tick], carries=int(tick == 2))) == [True, False, True], "it has one"
    stuck = after(12, lambda tick: view(own=(3, 3), other=(0, 0)))
    assert stuck[:3] == [True, False, False]
    assert True in stuck[3:], "walked three times and never came on; half of the steps after a clash it waits"
    waiting = after(21, lambda tick: view(own=(3, 4), lies=(0, 0)))
    assert waiting == [True, *[False] * 19, True], "no onion came for twenty steps"
    assert after(4, lambda tick: view(), "wait 3") == [True, False, False, True]
    assert after(2, lambda tick: view(), "step aside") == [True, True]


def test_ties_break_by_the_episodes_seed():
    found, seen = adapter("test", GAME), np.repeat(view(own=(1, 1), other=(0, 0)), 64, axis=0)
    firsts = []
    for _ in range(2):
        _, notes = found.look(seen, found.fresh(spread(3, 64), 0))
        firsts.append(found.step(seen, notes, np.full(64, NUMBER["get right onion"]))[0])
    assert set(firsts[0].tolist()) == {DOWN, RIGHT}
    np.testing.assert_array_equal(*firsts)


def test_any_sequence_of_legal_macros_plays_to_the_end():
    assert any_legal(GAME, GAME.horizon, 64) == set(NUMBER)


def test_a_player_of_simple_rules_earns_with_everybody_and_hardly_bumps():
    player = LLMPlayer(adapter("test", GAME), Rules())
    returns = {}
    for partner in standard(GAME):
        mate = from_table(POLICIES, partner.maker).make(GAME, None)
        table = Table([player, mate], spread(1, 64), [spread(2, 64), spread(3, 64)])
        paid = play_tables(GAME, [table])[0]
        returns[partner.name] = paid.returns.mean()
        assert paid.events[:, 0, EVENTS.index("collision")].mean() < 2, partner.name
    assert min(returns.values()) > 50
    assert returns["worker"] > 110


def test_words_are_enums_and_buckets():
    found, seen = adapter("test", GAME), view(own=(3, 3), other=(0, 0), other_carries=1, lies=(1, 0))
    legal = np.arange(len(grid.MACROS))[None] == NUMBER["get right onion"]
    assert found.describe(seen, legal)[0].splitlines() == [
        "You carry nothing.",
        "Your partner carries an onion.",
        "Steps to the pot: you 0-2, your partner 3-5.",
        "Steps to the right onion: you 0-2, your partner 6+. It lies there.",
        "Steps to the lower onion: you 0-2, your partner 6+. It is gone.",
        "Options:",
        "1. get right onion",
    ]


def test_what_is_refused():
    found = adapter("test", GAME)
    _, notes = found.look(view(), found.fresh(spread(1, 1), 0))
    with pytest.raises(Refused, match="'deliver' is illegal in episode 0, step 0"):
        found.step(view(), notes, np.array([NUMBER["deliver"]]))
    with pytest.raises(Refused, match="macro -1 given in episode 0; wanted 0 to 8, a new one"):
        found.step(view(), notes, np.array([-1]))
    with pytest.raises(Refused, match="llm-program plays overcooked only; given collab-grid-v1"):
        from_table(POLICIES, {"kind": "llm-program"}).make(GAME, None)


@pytest.mark.skipif(not find_spec("openai"), reason="the extra [llm] is not installed")
def test_a_match_is_recorded_and_replays_to_the_last_bit(tmp_path, capsys):
    with Chef(rule=helpful) as server:
        words = ["--endpoint", server.url, "--model", MODEL, "--set", 'personas=["helper", "right-only"]']
        code, out, err = run(capsys, "populate", "llm", "collab-grid", "--out", tmp_path, *words)
        assert (code, err, out.count(": llm, ")) == (0, "", 2)
        card = load_card(tmp_path / f"{MODEL}-helper")
        live = _played(card.policy(GAME))
        asked = len(server.seen)
        assert 0 < asked < 200
    assert _played(card.policy(GAME)) == live, "what is on the tape is not asked again"
    assert _played(from_table(POLICIES, frozen(card.maker)).make(GAME, card.root)) == live


def _played(player):
    mate = from_table(POLICIES, {"kind": "collab-grid-worker"}).make(GAME, None)
    table = Table([player, mate], spread(1, 3), [spread(2, 3), spread(3, 3)])
    trail = []
    play_tables(
        GAME, [table], watch=lambda state, actions, paid: trail.append(actions is not None and actions.tobytes())
    )
    return trail
