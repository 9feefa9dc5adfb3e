"""Matches of a live language model, kept so that anybody can play them again without it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from crossplay.benchmark.card import Card, load_card
from crossplay.benchmark.config import build, from_table, from_text, scalar, sha256, to_table
from crossplay.benchmark.crossplay import MatchResult, fixture, play_one
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game, GameSpec
from crossplay.benchmark.match import HARNESS
from crossplay.benchmark.registry import GAMES
from crossplay.leaderboard import publish
from crossplay.leaderboard.agent import find
from crossplay.populations.llm import tape, tiny
from crossplay.populations.llm.live import LLM, TAPE, asks, frozen
from crossplay.populations.llm.openai_backend import OpenAIBackend

REPLAY = "llm-replay"


def live(backend: dict[str, Any], settings: list[str], *, persona: str, samples: int, calls: int) -> LLM:
    """A live model as a user spells it: `field=value` settings go over the backend's table."""
    found = build(OpenAIBackend, {**backend, **_fields(settings)}, "backend")
    return LLM(backend=found, persona=persona, samples=samples, calls=calls, tape=Path(TAPE))


def train_tiny(game: str, out: Path, seed: int, settings: list[str]) -> dict[str, Any]:
    """Trains textlm-tiny into a folder, by `field=value` settings, and says how it went."""
    plan = build(tiny.Tiny, {"seed": seed, **_fields(settings)}, "tiny")
    played: Game = from_text(GAMES, game)
    return tiny.train(plan, played, out)


def _fields(settings: list[str]) -> dict[str, Any]:
    table = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals:
            raise Refused(f"--set {text}: wanted field=value, as in temperature=0.7")
        table[name] = scalar(value)
    return table


def record(
    game: str, partner: str, out: Path, model: LLM, *, seat: int, episodes: int, seed: int
) -> tuple[GameSpec, MatchResult]:
    """Plays one match of a live model, and saves a card in `out` that replays it.

    A tape that is there already goes on, so that what was interrupted or refused need not be asked again.
    """
    played: Game = from_text(GAMES, game)
    mate, kept = find(partner), {"persona": model.persona, "samples": model.samples}
    common: dict[str, Any] = {"name": out.name, "game": played.spec.name, "lineage": f"llm/{model.model}"}
    live = Card(**common, maker=to_table(model), family="llm", root=out)
    result = _play(played, live, mate, seat, episodes, seed)
    match = {"game": to_table(played), "partner": partner, "partner_digest": mate.digest, "harness": HARNESS}
    numbers = {"seat": seat, "episodes": episodes, "seed": seed, "returns": result.returns.returns.tolist()}
    told = {name: value for name, value in tape.stats(out / TAPE).items() if value is not None}
    card = Card(
        **common,
        maker={"kind": REPLAY, **kept},
        family=REPLAY,
        record={"backend": to_table(model.asked), "match": {**match, **numbers}, "answers": told},
    )
    card.save(out, {TAPE: (out / TAPE).read_bytes()})
    return played.spec, result


def replay(folder: Path) -> tuple[GameSpec, MatchResult]:
    """Plays a recorded match from its tape. Raises Refused where anything has changed, or it pays anything else."""
    card = load_card(folder)
    match = card.record.get("match")
    if card.maker.get("kind") != REPLAY or not match:
        raise Refused(f"{folder}: wanted a card that `crossplay llm record` made; given family {card.family!r}")
    if match["harness"] != HARNESS:
        raise Refused(f"{folder}: recorded with harness version {match['harness']}; this is {HARNESS}")
    mate = find(match["partner"])
    if mate.digest != match["partner_digest"]:
        raise Refused(f"{folder}: partner {match['partner']} is not the one it was recorded with")
    game: Game = from_table(GAMES, match["game"], str(folder))
    result = _play(game, card, mate, match["seat"], match["episodes"], match["seed"])
    for episode, (now, then) in enumerate(zip(result.returns.returns.tolist(), match["returns"], strict=True)):
        if now != then:
            raise Refused(f"{folder}: episode {episode} pays {now}, and paid {then} when it was recorded")
    return game.spec, result


def replay_board(folder: Path) -> dict[str, int]:
    """Plays every stored match of a language model again, from tapes alone; returns how many there were, by game.

    Raises Refused at the first one that pays anything else, or asks what is not on a tape.
    """
    counts = {}
    for part in publish.played(folder):
        mine = [f for f in part.fixtures if asks(f.ego.maker) or asks(f.partner.maker)]
        with publish.store(folder) as results:
            stored = results.load([f.pairing.key for f in mine])
        played = [f for f in mine if f.pairing.key in stored]
        for f in played:
            then = stored[f.pairing.key]
            again = play_one(f._replace(ego=_frozen(f.ego), partner=_frozen(f.partner))).returns
            if not all(np.array_equal(*pair) for pair in zip(again, then.returns, strict=True)):
                raise Refused(
                    f"{folder}: {f.pairing.ego} with {f.pairing.partner} in seat {f.pairing.seat} now plays otherwise: "
                    f"it pays {again.returns.mean():g}, and {then.returns.returns.mean():g} is stored"
                )
        counts[part.roster.game] = len(played)
    return counts


def freeze(folder: Path, out: Path) -> Card:
    """Saves a card that plays from the tape alone what the live one in `folder` has played so far."""
    card, path = load_card(folder), folder / TAPE
    if card.maker.get("kind") != "llm":
        raise Refused(f"{folder}: wanted a live language model's card; given kind {card.maker.get('kind')!r}")
    told = {name: value for name, value in tape.stats(path).items() if value is not None}
    record = {**card.record, "frozen": card.digest, "answers": told}
    again = replace(card, maker=frozen(card.maker), family=REPLAY, record=record)
    return again.save(out, {TAPE: tape.tidied(path)})


def _frozen(card: Card) -> Card:
    return replace(card, maker=frozen(card.maker))


def _play(game: Game, ego: Card, partner: Card, seat: int, episodes: int, seed: int) -> MatchResult:
    return play_one(fixture(game, ego, partner, seat=seat, episodes=episodes, seed=seed))


def verify(path: Path) -> tuple[str, int]:
    """A tape's SHA-256 and how many answers it holds. Raises Refused at the first line that is not as it has to be."""
    path = path / TAPE if path.is_dir() else path
    if path.with_name("card.toml").is_file():
        load_card(path.parent)
    _, entries = tape.read(path)
    return sha256(path.read_bytes()), len(entries)


def rows(path: Path) -> list[tuple[str, str]]:
    """What a tape says of its model, as (name, words)."""
    path = path / TAPE if path.is_dir() else path
    return [(name.replace("_", " "), _words(value)) for name, value in tape.stats(path).items()]


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    return f"{value:.1%}" if isinstance(value, float) else "" if value is None else str(value)
