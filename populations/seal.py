"""Sealed populations: who is held out is promised before a season by digests, and shown after it.

A seal names nobody. It holds a commitment to the population and to every held-out partner, SHA-256 over a secret key
and the digest, so that rule partners cannot be guessed by trying. The key is kept beside the manifest, and goes out
with the partners when they are revealed; whoever has both can tell that they are the ones that were sealed.
"""

import secrets
import shutil
from pathlib import Path

from crossplay.benchmark.config import build, config, read_toml, sha256, to_table, write_toml
from crossplay.benchmark.errors import Refused
from crossplay.populations.population import MANIFEST, Population, verify

KEY = "seal.key"


@config
class Seal:
    """What is published: a population's commitment, and its held-out partners' in an order that tells nothing."""

    name: str
    game: str
    population: str
    held_out: tuple[str, ...]


def committed(population: Population, key: str) -> Seal:
    """The seal that a key gives."""
    return Seal(
        name=population.name,
        game=population.game,
        population=_commitment(key, population.digest),
        held_out=tuple(sorted(_commitment(key, member.digest) for member in population.held_out)),
    )


def _commitment(key: str, digest: str) -> str:
    return sha256(f"{key}:{digest}")


def seal(root: Path, out: Path) -> Seal:
    """Seals a population, all of it re-hashed: the seal goes to `out`, the key beside the manifest, made once."""
    population, root = verify(root), _folder(root)
    key = root / KEY
    if not key.is_file():
        key.write_text(secrets.token_hex(32) + "\n", encoding="utf-8")
    found = committed(population, key.read_text(encoding="utf-8").strip())
    write_toml(out, to_table(found))
    return found


def reveal(root: Path, sealed: Path, out: Path) -> Population:
    """Copies manifest, key and held-out partners to a folder to publish. Raises Refused where they are not as sealed.

    Partners that were trained with stay behind; the manifest says who they were.
    """
    population = check(root, sealed)
    root = _folder(root)
    for member in population.held_out:
        shutil.copytree(root / member.path, out / member.path, dirs_exist_ok=True)
    for name in (MANIFEST, KEY):
        shutil.copyfile(root / name, out / name)
    return population


def check(root: Path, sealed: Path) -> Population:
    """A population whose held-out partners, re-hashed, are those of a seal. Raises Refused where they are not."""
    wanted = build(Seal, read_toml(sealed), str(sealed))
    root = _folder(root)
    if not (root / KEY).is_file():
        raise Refused(f"{root}: no {KEY} here, so nothing can be held against {sealed}; whoever sealed it has it")
    population = verify(root, held_out_only=True)
    found = committed(population, (root / KEY).read_text(encoding="utf-8").strip())
    if found == wanted:
        return population
    lost, new = set(wanted.held_out) - set(found.held_out), set(found.held_out) - set(wanted.held_out)
    raise Refused(
        f"{root}: not what {sealed} sealed as {wanted.name!r} of {wanted.game}: {len(lost)} of {len(wanted.held_out)} "
        f"held-out partners are missing, {len(new)} are others"
        + ("" if lost or new else "; key, recipe or training partners differ")
    )


def _folder(root: Path) -> Path:
    return root if root.is_dir() else root.parent
