"""`classic` against what people did: every recorded transition and every recorded game of the train file."""

import io

import numpy as np
import pytest

from crossplay.benchmark.errors import Refused
from crossplay.benchmark.games.overcooked import humans
from crossplay.benchmark.games.overcooked.humans import recordings
from crossplay.benchmark.games.overcooked.layouts import CLASSIC_FIVE
from crossplay.benchmark.games.overcooked.state import State


def equal_rows(state: State, other: State) -> np.ndarray:
    """Where poses, hands, pots, timers, loose things and clocks agree, bool [episodes]."""
    arrays = ((getattr(state, name), getattr(other, name)) for name in ("cooks", "items", "cook", "clock"))
    return np.all([(a == b).reshape(len(state), -1).all(axis=1) for a, b in arrays], axis=0)


@pytest.mark.parametrize("layout", CLASSIC_FIVE)
def test_every_recorded_transition(layout):
    frames = right = 0
    for game in (game for game in recordings() if game.layout == layout):
        state = game.before.copy()
        paid = state.step(game.actions)
        same = equal_rows(state, game.after) & (paid.rewards == game.rewards[:, None]).all(axis=1)
        frames, right = frames + len(game), right + int(same.sum())
    print(f"\nclassic, {layout}: {right} of {frames} recorded transitions")
    assert right == frames > 0


def test_the_file_is_whole():
    assert sum(len(game) for game in recordings()) == 46_729
    assert len(recordings()) == 39


def test_every_game_open_loop():
    for game in recordings():
        state, score = game.before.rows(slice(0, 1)), 0.0
        for frame in range(len(game)):
            score += float(state.step(game.actions[frame : frame + 1]).rewards[0, 0])
            assert equal_rows(state, game.after.rows(slice(frame, frame + 1))).all(), (game.pair, game.layout, frame)
        assert score == game.score == game.rewards.sum()
    print(f"\nclassic: {len(recordings())} recorded games open loop to the recorded score")


def test_a_split_has_to_be_known():
    with pytest.raises(Refused, match="train or test"):
        recordings("validation")


def test_an_altered_file_is_refused(monkeypatch):
    monkeypatch.setitem(humans._SHA256, "test", "0" * 64)
    with pytest.raises(Refused, match="not the released file"):
        humans._read("test")


def test_a_pickle_that_wants_more_is_refused():
    with pytest.raises(Refused, match=r"builtins\.eval"):
        humans._Reader(io.BytesIO(b"")).find_class("builtins", "eval")
