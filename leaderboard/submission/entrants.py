"""Agents from outside in a results folder: unpacked below `entrants`, on every board of the games they are for."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from crossplay.benchmark.card import Card
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.leaderboard.submission import archive
from crossplay.leaderboard.submission.manifest import Submission, digest, files, load
from crossplay.leaderboard.submission.python import SITE

ENTRANTS = "entrants"
REQUIREMENTS = "requirements.txt"


def entrants(results: Path) -> Iterator[Submission]:
    """All agents that were taken into a results folder, by name."""
    for folder in sorted((results / ENTRANTS).glob("[!.]*")):
        yield load(folder)


def cards(results: Path, game: Game) -> dict[str, tuple[Card, ...]]:
    """Entry → cards, of those that are for a game."""
    return {one.name: one.cards(game) for one in entrants(results) if one.fits(game)}


def take(source: Path, results: Path) -> Submission:
    """Copies or unpacks an agent into a results folder, in the place of one of its name. Raises Refused.

    The same agent again changes nothing; what it requires is installed beside it, from wheels only.
    """
    drafts = results / ENTRANTS / ".drafts"
    shutil.rmtree(drafts, ignore_errors=True)
    draft = drafts / "agent"
    if source.is_dir():
        load(source)
        for path in files(source):
            target = draft / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    else:
        archive.unpack(source, draft)
    agent = load(draft)
    place = results / ENTRANTS / agent.name
    if not place.is_dir() or digest(place) != digest(draft):
        _require(draft, place)
        shutil.rmtree(place, ignore_errors=True)
        draft.replace(place)
    shutil.rmtree(drafts, ignore_errors=True)
    return load(place)


def withdraw(name: str, results: Path) -> None:
    """Takes an agent off the boards; its matches stay in the store."""
    place = results / ENTRANTS / name
    if not place.is_dir():
        raise Refused(f"{results}: no agent {name!r} was submitted here")
    shutil.rmtree(place)
    shutil.rmtree(_site(place), ignore_errors=True)


def _site(place: Path) -> Path:
    return place.with_name(f".{place.name}.{SITE}")


def _require(draft: Path, place: Path) -> None:
    """Installs what requirements.txt asks for; wheels only, since building a source package runs its code uncaged."""
    wanted, site = draft / REQUIREMENTS, _site(place)
    shutil.rmtree(site, ignore_errors=True)
    if not wanted.is_file():
        return
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--only-binary=:all:", "--target", str(site)]
    done = subprocess.run([*command, "--requirement", str(wanted)], capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(site, ignore_errors=True)
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise Refused(f"{REQUIREMENTS} cannot be installed from wheels: {' '.join(last)}")
