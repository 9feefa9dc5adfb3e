"""Public checkers: what a game or a policy must keep to, all faults at once. `crossplay check` runs them too."""

import random
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from crossplay.benchmark.config import from_table, to_table
from crossplay.benchmark.errors import unknown
from crossplay.benchmark.game import Game, GameSpec, Observation, Step
from crossplay.benchmark.match import illegal
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.registry import GAMES
from crossplay.benchmark.seeding import Seeds, derive, sample, spread, uniforms

Faults = list[str]
Frame = dict[str, Any]  # label → copy of an array [episodes, …], or one text per episode


def check_game(game: Game, *, episodes: int = 5, seed: int = 0) -> list[str]:
    """Everything wrong with a game, in words; empty when it may be played.

    Plays whole episodes of random legal actions, and again: with equal seeds, without looking, alone, in another order.
    """
    if not isinstance(getattr(game, "spec", None), GameSpec):
        return [f"spec must be a GameSpec, is {getattr(game, 'spec', None)!r}"]
    faults: Faults = []
    seeds = spread(derive(seed, "check"), episodes)
    with _guard(faults):
        _table(game, faults)
        _replays(game, seeds, *_record(game, seeds, faults), faults)
    return list(dict.fromkeys(faults))


def check_policy(
    policy: Policy, game: Game, seat: int = 0, *, episodes: int = 5, seed: int = 0, alone: bool = True
) -> list[str]:
    """Everything wrong with a policy in one seat of a game, in words; the other seats play legal actions at random.

    `alone` also wants an episode on its own to be played as in a batch; too strict for networks, which round by batch.
    """
    view = getattr(policy, "view", None)
    if view not in game.spec.views:
        return [str(unknown("view", view, game.spec.views))]
    faults: Faults = []
    seeds = spread(derive(seed, "check", "policy"), episodes)
    with _guard(faults):
        _again(policy, seat, seeds, *_met(policy, game, seat, seeds, faults), alone, faults)
    return list(dict.fromkeys(faults))


def act_time(policy: Policy, game: Game, seat: int = 0, *, episodes: int = 64, steps: int = 50) -> float:
    """Microseconds that the policy thinks for one episode's step: the median over steps of a batch of `episodes`."""
    seeds, took = spread(0, episodes), []
    for step in range(steps):
        if step % game.spec.horizon == 0:
            state, memory = game.reset(seeds), policy.begin(seeds, seat)
        everybody = game.observe(state, policy.view)
        start = time.perf_counter()
        chosen, memory = policy.act(everybody.of(seat, slice(None)), memory)
        took.append(time.perf_counter() - start)
        actions = _random(everybody.legal, seeds, step)
        actions[:, seat] = chosen
        state, _ = game.step(state, actions)
    return float(np.median(took)) / episodes * 1e6


@contextmanager
def _guard(faults: Faults) -> Iterator[None]:
    """Notes what is raised inside, and by which function, and whether a global generator was drawn from."""
    before = _global_luck()
    try:
        yield
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1].name
        faults.append(f"{where} raised {type(error).__name__}: {error}")
    drawn = [name for name, now in _global_luck().items() if before.get(name, now) != now]
    faults += [f"draws from the global generator of {name}; luck must come from the seeds" for name in drawn]


def _global_luck() -> dict[str, str]:
    numpy = np.random.get_state(legacy=False)  # noqa: NPY002
    states = {"random": repr(random.getstate()), "numpy": repr((numpy, bytes(numpy["state"]["key"])))}
    if "torch" in sys.modules:
        states["torch"] = repr(bytes(sys.modules["torch"].get_rng_state().numpy()))
    return states


def _table(game: Game, faults: Faults) -> None:
    if game.spec != game.spec:
        faults.append("spec changes between two readings")
    if getattr(type(game), "kind", None) in GAMES and from_table(GAMES, to_table(game)).spec != game.spec:
        faults.append("its table describes another game: to_table and from_table do not round trip")


def _record(game: Game, seeds: Seeds, faults: Faults) -> tuple[list[Frame], list[np.ndarray]]:
    """One play, all looked at: horizon + 1 frames of what was seen and paid, horizon actions [episodes, seats]."""
    spec, given = game.spec, seeds.copy()
    state, frames, chosen = game.reset(given), [], []
    for step in range(spec.horizon + 1):
        frame, legal = _looks(game, state, len(seeds), faults)
        frames.append(frame)
        if step == spec.horizon:
            break
        actions = _random(legal, seeds, step)
        chosen.append(actions.copy())
        state, paid = game.step(state, actions)
        if not np.array_equal(actions, chosen[-1]):
            faults.append("step writes into the actions it is given")
        frame.update(_paid(paid, spec, len(seeds), faults))
    if not np.array_equal(given, seeds):
        faults.append("reset or step writes into the seeds")
    return frames, chosen


def _looks(game: Game, state: Any, episodes: int, faults: Faults) -> tuple[Frame, np.ndarray]:
    """All views and texts as copies, and a usable mask [episodes, seats, actions] even where the game's is broken."""
    spec = game.spec
    legal = np.ones((episodes, spec.seats, len(spec.actions)), dtype=bool)
    frame: Frame = {}
    seen = {view: game.observe(state, view) for view in spec.views}
    for view, shape in spec.views.items():
        frame[f"features of view {view!r}"] = features = np.array(seen[view].features)
        frame["legal"] = mask = np.array(seen[view].legal)
        _array(f"features of view {view!r}", features, (episodes, spec.seats, *shape), np.number, faults)
        if _array("legal", mask, legal.shape, np.bool_, faults):
            if not mask.any(axis=2).all():
                faults.append("legal has a row without any legal action")
            legal = mask | ~mask.any(axis=2, keepdims=True)
        if not _same(features, np.array(game.observe(state, view).features)):
            faults.append(f"observe: view {view!r} shows something else once other views have been looked at")
    for seat in range(spec.seats):
        frame[f"words of seat {seat}"] = texts = game.describe(state, seat)
        if not isinstance(texts, list) or [isinstance(t, str) and bool(t) for t in texts] != [True] * episodes:
            faults.append(f"describe must give {episodes} texts, one per episode; seat {seat} gets {texts!r:.60}")
    return frame, legal


def _paid(paid: Step, spec: GameSpec, episodes: int, faults: Faults) -> Frame:
    if not isinstance(paid, Step):
        faults.append(f"step must return a Step, returns {type(paid).__name__}")
        return {}
    frame = {name: np.array(value) for name, value in paid._asdict().items()}
    shape = (episodes, spec.seats)
    for name in ("rewards", "shaping", "costs"):
        fine = _array(name, frame[name], shape, np.floating, faults)
        if fine and name == "costs" and (frame[name] < 0).any():
            faults.append("costs are negative; they are what `rewards` has had taken off")
    fine = _array("events", frame["events"], (*shape, len(spec.events)), np.integer, faults)
    if fine and (frame["events"] < 0).any():
        faults.append("events are negative; they are counts")
    return frame


def _array(name: str, array: np.ndarray, shape: tuple[int, ...], kind: Any, faults: Faults) -> bool:
    """Whether an array has its shape, dtype and finite values; what is wrong goes into faults."""
    if array.shape != shape:
        faults.append(f"{name} has shape {list(array.shape)}, wanted {list(shape)}")
    if not np.issubdtype(array.dtype, kind):
        faults.append(f"{name} has dtype {array.dtype}, wanted {kind.__name__}")
    elif not np.isfinite(array).all():
        faults.append(f"{name} has NaN or infinite entries")
    return array.shape == shape and np.issubdtype(array.dtype, kind)


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and bool(((one == other) | ((one != one) & (other != other))).all())


def _random(legal: np.ndarray, seeds: Seeds, step: int) -> np.ndarray:
    """Legal actions int64 [episodes, seats], a function of each episode's seed."""
    seats = legal.shape[1]
    return np.stack([sample(legal[:, seat], uniforms(seeds, step, 900 + seat)) for seat in range(seats)], axis=1)


def _replays(game: Game, seeds: Seeds, frames: list[Frame], actions: list[np.ndarray], faults: Faults) -> None:
    def replay(how: str, rows: np.ndarray, look: bool = False, dtype: type = np.int64) -> None:
        state = game.reset(seeds[rows].copy())
        for step, frame in enumerate(frames):
            now: Frame = _looks(game, state, len(rows), [])[0] if look else {}
            if step < len(actions):
                state, paid = game.step(state, actions[step][rows].astype(dtype))
                now.update(_paid(paid, game.spec, len(rows), []))
            for label, value in now.items():
                was = frame[label]
                if len(was) == len(seeds) and not _same(np.array([was[row] for row in rows]), np.array(value)):
                    faults.append(f"{how}: {label} differ")

    everyone = np.arange(len(seeds))
    replay("with equal seeds and actions, played again", everyone, look=True)
    replay("without observe and describe", everyone)
    replay("in another order of episodes", everyone[::-1])
    replay("an episode alone", everyone[-1:], look=True)
    replay("with actions as int32", everyone, dtype=np.int32)


def _met(
    policy: Policy, game: Game, seat: int, seeds: Seeds, faults: Faults
) -> tuple[list[Observation], list[np.ndarray]]:
    """What a policy saw and did, step by step; an unusable action is noted and replaced so that play goes on."""
    state, memory = game.reset(seeds), policy.begin(seeds.copy(), seat)
    seen: list[Observation] = []
    did: list[np.ndarray] = []
    noted = ""
    for step in range(game.spec.horizon):
        everybody = game.observe(state, policy.view)
        actions = _random(everybody.legal, seeds, step)
        own = everybody.of(seat, slice(None))
        seen.append(Observation(own.features.copy(), own.legal.copy()))
        chosen, memory = policy.act(own, memory)
        did.append(np.array(chosen))
        if not all(map(_same, own, seen[-1])):
            faults.append("act writes into the observation")
        fault = illegal(did[-1], seen[-1].legal)
        if fault:
            nan = did[-1].dtype.kind == "f" and not np.isfinite(did[-1]).all()
            noted = noted or f"{'actions are NaN or infinite' if nan else fault}, step {step}"
        else:
            actions[:, seat] = chosen
        state, _ = game.step(state, actions)
    faults += [noted] if noted else []
    return seen, did


def _again(
    policy: Policy, seat: int, seeds: Seeds, seen: list[Observation], did: list[np.ndarray], alone: bool, faults: Faults
) -> None:
    """The same observations shown again: to a fresh memory, to two memories in turn, and episode by episode."""

    def shown(rows: slice, memories: int) -> bool:
        kept = [policy.begin(seeds[rows].copy(), seat) for _ in range(memories)]
        same = True
        for observation, was in zip(seen, did, strict=True):
            for index, memory in enumerate(kept):
                part = (array[rows].copy() for array in observation)
                chosen, kept[index] = policy.act(Observation(*part), memory)
                same &= np.array_equal(np.asarray(chosen), was[rows])
        return same

    if not shown(slice(None), 1):
        faults.append("begun again with equal seeds it acts differently: its play is not a function of its seeds")
    elif not shown(slice(None), 2):
        faults.append("two games in turn disturb each other: it keeps state outside its memory")
    elif alone and not all(shown(slice(row, row + 1), 1) for row in range(min(len(seeds), 3))):
        faults.append("an episode alone is played differently than in a batch")
