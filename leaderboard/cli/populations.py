"""Commands about populations: show, verify, seal, reveal, bounds, diversity, thin, parcel."""

from pathlib import Path
from typing import Annotated

import typer

from crossplay.leaderboard import console
from crossplay.leaderboard.cli.app import Device, Jobs, Manifest, Settings, population_app

Episodes = Annotated[int, typer.Option(help="A match.")]


@population_app.command()
def show(population: Manifest) -> None:
    """Print a population, your own or one that was measured for the suite: families, members, bounds, diversity.

    Example: **crossplay population show standard/coordination_ring**
    """
    from crossplay.leaderboard import census
    from crossplay.populations.population import load_population

    console.SCREEN.print(census.table(load_population(census.find(population, shipped=True)), population))


@population_app.command()
def verify(
    population: Manifest,
    sealed: Annotated[Path | None, typer.Option("--seal", help="The seal that was published before.")] = None,
) -> None:
    """Re-hash a manifest and every file it names; one changed byte is refused. With a seal: is it what was sealed?

    Example: **crossplay population verify results/quick/collab-grid-v1**
    """
    from crossplay.leaderboard import census
    from crossplay.populations import seal as seals
    from crossplay.populations.population import verify as verify_population

    root = census.find(population, shipped=True)
    if sealed:
        found = seals.check(root, sealed)
        console.say(f"✓ {found.name}: {len(found.held_out)} held-out partners as sealed in {sealed}")
        return
    found = verify_population(root)
    count = len(found.train) + len(found.held_out)
    console.say(f"✓ {found.name}: {count} members as stated, digest {found.digest}")


@population_app.command()
def seal(population: Manifest, out: Annotated[Path, typer.Option(help="TOML to publish; it names nobody.")]) -> None:
    """Promise who is held out without saying so: publish the seal now, keep the key, reveal later.

    Example: **crossplay population seal quick/cramped_room --out season-1.toml**
    """
    from crossplay.leaderboard import census
    from crossplay.populations import seal as seals

    found = seals.seal(census.find(population), out)
    console.say(f"wrote {out}: {len(found.held_out)} held-out partners of {found.game}")
    console.say(f"keep {seals.KEY} beside the manifest: without it nobody can tell that they were the ones")


@population_app.command()
def reveal(
    population: Manifest,
    sealed: Annotated[Path, typer.Option("--seal", help="The seal that was published.")],
    out: Annotated[Path, typer.Option(help="Folder to publish: manifest, key, held-out partners.")],
) -> None:
    """Gather what shows who was sealed, in a folder that anybody can verify.

    Example: **crossplay population reveal quick/cramped_room --seal season-1.toml --out season-1**
    """
    from crossplay.leaderboard import census
    from crossplay.populations import seal as seals

    found = seals.reveal(census.find(population), sealed, out)
    console.say(f"wrote {out}: {len(found.held_out)} partners; `crossplay population verify {out} --seal {sealed}`")


@population_app.command()
def bounds(
    population: Manifest,
    steps: Annotated[int | None, typer.Option(min=1, help="Of a best response's training; the game's own.")] = None,
    episodes: Episodes = 128,
    device: Device = "cpu",
    settings: Settings = None,
    *,
    jobs: Jobs,
) -> None:
    """Measure what uniform play and a best response earn with every held-out partner; done work is never done again.

    Example: **crossplay population bounds quick/cramped_room --steps 1000000**
    """
    from crossplay.leaderboard import census, yardsticks

    given = [*(settings or []), *([f"budget.steps={steps}"] if steps else [])]
    root = census.find(population)
    with console.progress() as tell:
        found = yardsticks.measure_bounds(root, episodes=episodes, settings=given, device=device, jobs=jobs, tell=tell)
    console.SCREEN.print(census.table(found, population))


@population_app.command()
def diversity(population: Manifest, episodes: Episodes = 32, *, jobs: Jobs) -> None:
    """Measure how unlike each other the held-out partners are: they play each other and are compared.

    Example: **crossplay population diversity quick/cramped_room**
    """
    from crossplay.leaderboard import census, yardsticks

    root = census.find(population)
    with console.progress() as tell:
        found = yardsticks.measure_diversity(root, episodes=episodes, jobs=jobs, tell=tell)
    console.SCREEN.print(census.table(found, population))


@population_app.command()
def thin(population: Manifest) -> None:
    """Take near-duplicates out of the held-out partners; the recipe then says who went, and for whom.

    Example: **crossplay population thin quick/cramped_room**
    """
    from crossplay.leaderboard import census, yardsticks

    gone = yardsticks.thin_out(census.find(population))
    for near in gone:
        console.say(f"{near.one} went: {near.distance:.4f} from {near.other}")
    console.say(f"{len(gone)} near-duplicates taken out")


@population_app.command()
def parcel(population: Manifest, out: Annotated[Path, typer.Option(help="Folder for manifest and cards.")]) -> None:
    """Write the held-out partners and what was measured of them as a package carries them: without critics.

    Example: **crossplay population parcel standard/cramped_room --out parcel**
    """
    from crossplay.leaderboard import census
    from crossplay.populations import parcel as parcels

    found = parcels.parcel(census.find(population, shipped=True), out)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    console.say(f"wrote {out}: {len(found.held_out)} partners, {size / 1e6:.2f} MB, digest {found.digest}")
