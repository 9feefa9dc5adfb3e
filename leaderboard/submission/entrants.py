"""Agents from outside in a results folder: unpacked below `entrants`, on every board of the games they are for."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from crossplay.benchmark.card import Card
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.leaderboard.submission import archive
from crossplay.leaderboard.submission.manifest import AGENT_FILE, Submission, digest, files, load
from crossplay.leaderboard.submission.python import SITE

ENTRANTS, DRAFTS = "entrants", ".drafts"
REQUIREMENTS = "requirements.txt"
_VERSION = r"\s*(===|[=!~<>]=|<|>)\s*[\w.*+!-]+\s*"
_PLAIN = re.compile(rf"[A-Za-z0-9][\w.-]*(\[[\w., -]*\])?({_VERSION}(,{_VERSION})*)?(\s*;[^/@\\]*)?", re.ASCII)


def entrants(results: Path) -> Iterator[Submission]:
    """All agents that were taken into a results folder, by name."""
    for folder in sorted((results / ENTRANTS).glob("[!.]*")):
        yield load(folder)


def cards(results: Path, game: Game) -> dict[str, tuple[Card, ...]]:
    """Entry → cards, of those that are for a game."""
    return {one.name: one.cards(game) for one in entrants(results) if one.fits(game)}


def stage(source: Path, results: Path) -> Submission:
    """Copies or unpacks an agent beside those of a results folder, with what it requires. Raises Refused."""
    shutil.rmtree(results / ENTRANTS / DRAFTS, ignore_errors=True)
    draft = results / ENTRANTS / DRAFTS / "agent"
    if source.is_dir():
        load(source)
        for path in files(source):
            target = draft / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    elif source.is_file():
        archive.unpack(source, draft)
    else:
        raise Refused(f"{source}: no such folder or archive; wanted one with an {AGENT_FILE}")
    _require(draft)
    return load(draft)


def settle(agent: Submission, results: Path) -> Submission:
    """Moves a staged agent to its place, in that of one of its name; the same agent again changes nothing."""
    place = results / ENTRANTS / agent.name
    if not place.is_dir() or digest(place) != digest(agent.folder):
        for tape in place.glob(".*.tape.jsonl"):  # a language model's answers were paid for
            shutil.copyfile(tape, agent.folder / tape.name)
        for old, new in ((_site(place), _site(agent.folder)), (place, agent.folder)):
            shutil.rmtree(old, ignore_errors=True)
            if new.is_dir():
                new.replace(old)
    shutil.rmtree(results / ENTRANTS / DRAFTS, ignore_errors=True)
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


def _require(draft: Path) -> None:
    """Installs what requirements.txt asks for; wheels only, since building a source package runs its code uncaged."""
    wanted, site = draft / REQUIREMENTS, _site(draft).resolve()
    if not wanted.is_file():
        return
    names = _wanted(wanted)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--only-binary=:all:", "--target", str(site)]
    done = subprocess.run(  # not where one stands: a file there that has a name from the list would be built
        [*command, "--", *names], capture_output=True, text=True, check=False, cwd=draft.parent
    )
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise Refused(f"{REQUIREMENTS} cannot be installed from wheels: {' '.join(last)}")


def _wanted(path: Path) -> list[str]:
    """The requirements in a file: names and versions. Raises Refused for options, paths and addresses.

    pip would obey an option of the file over ours, and build, so run, what an address or a path leads to.
    """
    try:
        lines = [line.partition(" #")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except UnicodeDecodeError as error:
        raise Refused(f"{REQUIREMENTS}: not UTF-8: {error}") from None
    found = [line for line in lines if line and not line.startswith("#")]
    for line in found:
        if not _PLAIN.fullmatch(line):
            raise Refused(f"{REQUIREMENTS}: {line!r}; wanted NAME, or NAME and versions as in numpy>=2,<3")
    return found
