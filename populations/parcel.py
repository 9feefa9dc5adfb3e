"""What a package carries of a population: its held-out partners, without what only their training asked for."""

from dataclasses import replace
from pathlib import Path

import safetensors.torch

from crossplay.agents.networks import WEIGHTS, of_critic
from crossplay.benchmark.card import Card
from crossplay.populations.population import Member, Population, verify


def parcel(root: Path, out: Path) -> Population:
    """Writes the held-out partners and their manifest to a folder, networks without critics: half the size.

    Partners act as before, so what was measured of them stays true, and goes along under their new digests. Raises
    Refused where a partner is not what the manifest says.
    """
    whole, root = verify(root, held_out_only=True), root if root.is_dir() else root.parent
    cards = [_played(member.load(root), out / member.path) for member in whole.held_out]
    members = tuple(Member.of(card, out) for card in cards)
    digests = {member.name: member.digest for member in members}
    bounds, diversity = whole.bounds, whole.diversity
    if bounds:
        rows = tuple(replace(row, digest=digests[row.partner]) for row in bounds.rows)
        bounds = replace(bounds, rows=rows)
    if diversity:
        skills = tuple(replace(skill, digest=digests[skill.partner]) for skill in diversity.skills)
        diversity = replace(diversity, skills=skills)
    found = replace(whole, train=(), held_out=members, bounds=bounds, diversity=diversity)
    found.save(out)
    return found


def _played(card: Card, out: Path) -> Card:
    contents = {name: ((card.root or Path()) / name).read_bytes() for name in card.files}
    if WEIGHTS in contents:
        tensors = safetensors.torch.load(contents[WEIGHTS])
        contents[WEIGHTS] = safetensors.torch.save({k: v for k, v in tensors.items() if not of_critic(k)})
    return card.save(out, contents)
