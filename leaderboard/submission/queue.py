"""A queue of submissions that is just files: every archive in a folder, taken in once, with a verdict beside it."""

from pathlib import Path
from typing import Any, Literal, NamedTuple

from crossplay.benchmark.config import read_toml, sha256, write_toml
from crossplay.benchmark.errors import Refused
from crossplay.leaderboard.submission import submit
from crossplay.leaderboard.suite import Suite
from crossplay.leaderboard.work import Tell

VERDICTS = "verdicts.toml"


class Verdict(NamedTuple):
    """What became of an archive."""

    archive: str
    status: Literal["accepted", "refused", "known"]
    lines: tuple[str, ...]


def accept(folder: Path, results: Path, suite: Suite, *, jobs: int, tell: Tell) -> list[Verdict]:
    """Submits every archive of a folder, by name. One that is refused costs the others nothing.

    An archive with a verdict is not looked at again unless it has changed, so the same command goes on after a stop.
    What cannot be read gets no lasting one. Raises Refused where there is no such folder.
    """
    if not folder.is_dir():
        raise Refused(f"{folder}: no such folder; wanted one with archives as `crossplay pack` makes them")
    path = results / VERDICTS
    known: dict[str, Any] = read_toml(path) if path.is_file() else {}
    found = []
    for archive in sorted(folder.glob("*.zip")):
        try:
            seal = sha256(archive.read_bytes()) if archive.is_file() else ""
        except OSError:
            seal = ""
        if not seal:
            found.append(Verdict(archive.name, "refused", ("not a file that can be read",)))
            continue
        if known.get(archive.name, {}).get("sha256") == seal:
            found.append(Verdict(archive.name, "known", tuple(known[archive.name]["lines"])))
            continue
        verdict = _verdict(archive, results, suite, jobs, tell)
        found.append(verdict)
        known[archive.name] = {"sha256": seal, "status": verdict.status, "lines": list(verdict.lines)}
        write_toml(path, known)
    return found


def _verdict(archive: Path, results: Path, suite: Suite, jobs: int, tell: Tell) -> Verdict:
    try:
        agent, boards = submit.submit(archive, results, suite, jobs=jobs, tell=tell)
    except Refused as refused:
        return Verdict(archive.name, "refused", tuple(str(refused).splitlines()))
    placed = submit.landings(agent, boards, results)
    return Verdict(archive.name, "accepted", tuple(f"{one.board.game}: {one.lines[0]}" for one in placed))
