"""Frames: whatever bytes come from a cage are an answer or a fault, at once and in little memory; and the other way."""

import json
import os
import socket
import threading
import time
import tracemalloc
import weakref
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossplay.benchmark.errors import Fault
from crossplay.leaderboard.submission import inmate
from crossplay.leaderboard.submission.cage import Cell
from crossplay.leaderboard.submission.python import _answer
from crossplay.leaderboard.submission.walls import Limits
from crossplay.leaderboard.submission.warden import RUNNING

EPISODES = 4
FINE = b"A" + (8 * EPISODES).to_bytes(4, "little") + bytes(8 * EPISODES)


class Gone:
    """A cage whose agent does whatever a test does."""

    def leave(self, grace=0.0):
        return RUNNING


def cell(seconds=0.5):
    """A cell without a process, and the agent's end of its line."""
    made = Cell.__new__(Cell)
    made._line, theirs = socket.socketpair()
    made._limits, made._left, made._cage = Limits(step_seconds=seconds), 10.0, Gone()
    made.close = weakref.finalize(made, made._line.close)
    return made, theirs


frames = st.builds(
    lambda kind, count, body: bytes([kind]) + count.to_bytes(4, "little") + body,
    st.sampled_from(b"AaREP\x00\xff"),
    st.sampled_from([0, 1, 8, 31, 32, 33, 2000, 2001, 2**16, 2**31, 2**32 - 1]),
    st.binary(max_size=80) | st.integers(0, 5000).map(bytes),
)
rubbish = st.one_of(
    st.binary(max_size=200),
    frames,
    st.lists(frames, max_size=3).map(b"".join),
    st.integers(0, len(FINE)).map(lambda end: FINE[:end]),
    st.binary(min_size=1, max_size=9).map(lambda more: FINE + more),
)


@settings(max_examples=300, deadline=None)
@given(rubbish, st.booleans())
def test_any_bytes_from_a_cage_are_an_answer_or_a_fault(data, at_once):
    mine, theirs = cell()
    with theirs:
        if at_once:
            theirs.sendall(data)
        else:  # in drips
            for start in range(0, len(data), 1000):
                theirs.sendall(data[start : start + 1000])
        theirs.shutdown(socket.SHUT_WR)
        began = time.monotonic()
        tracemalloc.start()
        try:
            kind, got = _answer(mine, "Aa", 8 * EPISODES)
        except Fault:
            assert data != FINE
        else:
            assert kind in "Aa"
            assert data == kind.encode() + FINE[1:5] + got
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 2**18
        assert time.monotonic() - began < 5
    mine.close()


def test_silence_is_a_fault_and_so_is_what_drips():
    mine, theirs = cell(seconds=0.2)
    with theirs, pytest.raises(Fault, match=r"took more than 0\.2 s for a step"):
        _answer(mine, "A", 8)
    theirs_done = threading.Event()

    def drip(line):
        while not theirs_done.wait(0.05):
            line.sendall(b"A")

    mine, theirs = cell(seconds=0.4)
    writer = threading.Thread(target=drip, args=(theirs,))
    writer.start()
    with pytest.raises(Fault, match=r"took more than 0\.4 s|a frame of 1094795585 bytes"):
        _answer(mine, "A", 8)
    theirs_done.set()
    writer.join()
    theirs.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("agent")
    (made / "agent.py").write_text("class Agent:\n    def act(self, observation, legal):\n        return 0\n")
    return made


def inside(data, folder):
    """What an inmate answers to these bytes, until it ends; in a process, as it ends that."""
    mine, theirs = socket.socketpair()
    child = os.fork()
    if not child:
        mine.close()
        inmate.main(theirs.detach(), str(folder))
    theirs.close()
    found = b""
    with mine, suppress(ConnectionResetError):  # it ended without having read all
        mine.settimeout(20)
        mine.sendall(data)
        mine.shutdown(socket.SHUT_WR)
        while part := mine.recv(2**16):
            found += part
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) in (0, 1)
    return found


def begun(**changes):
    about = {"source": "agent.py:Agent", "game": "g", "seat": 0, "seeds": [1, 2], "shape": [3], "dtype": "<f4"}
    about |= {"actions": ["a", "b"], "horizon": 9, "watch": False, **changes}
    data = json.dumps(about).encode()
    return b"B" + len(data).to_bytes(4, "little") + data


OBSERVED = np.zeros((2, 3), "<f4").tobytes() + np.ones((2, 2), bool).tobytes()
WHOLE = begun() + b"O" + len(OBSERVED).to_bytes(4, "little") + OBSERVED
ANSWERED = b"R\0\0\0\0" + b"A" + (16).to_bytes(4, "little") + bytes(16)
wrong = st.fixed_dictionaries(
    {},
    optional={
        "source": st.sampled_from(["agent.py:Nobody", "gone.py:Agent", ":", "../agent.py:Agent"]),
        "seeds": st.sampled_from([[], [-1], [2**64], ["x"], None]),
        "shape": st.sampled_from([[2**40], [2**31, 2**31], [-1], ["x"], [3.5], None]),
        "dtype": st.sampled_from(["<f9", "O", "V0", "", None, "<f4,<f4"]),
        "actions": st.sampled_from([None, 3]),
        "seat": st.none(),
    },
)


def test_an_inmate_answers_and_ends_where_the_harness_does(folder):
    assert inside(WHOLE, folder) == ANSWERED


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(WHOLE)))
def test_a_truncated_frame_ends_an_inmate(folder, end):
    assert ANSWERED.startswith(inside(WHOLE[:end], folder))


@settings(max_examples=60, deadline=None)
@given(wrong)
def test_what_cannot_be_begun_is_said_in_words(folder, changes):
    found = inside(begun(**changes) + WHOLE[len(begun()) :], folder)
    said = found.removeprefix(b"R\0\0\0\0")
    assert said in (b"", ANSWERED[5:]) or (said[:1] == b"E" and int.from_bytes(said[1:5], "little") == len(said) - 5)
    assert len(said) < 3000
