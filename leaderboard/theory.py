"""`crossplay rqe`: a game's equilibria over τ as rows, a table, JSON and the equilibrium diagram."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import crossplay.benchmark.games  # noqa: F401  registers them
from crossplay.benchmark.config import build, from_table, from_text, read_toml
from crossplay.benchmark.errors import Refused, unknown
from crossplay.benchmark.games.matrix import READY, Matrix
from crossplay.benchmark.registry import GAMES
from crossplay.benchmark.theory import bimatrix, symmetric
from crossplay.benchmark.theory.quadratic import InfiniteRisk, Quadratic, solve_quadratic, two_robots
from crossplay.benchmark.theory.rqe import slope, solve
from crossplay.benchmark.theory.variant import Variant

if TYPE_CHECKING:
    from rich.table import Table

SWEEP = (*np.linspace(0, 0.1, 8)[:-1].tolist(), *np.geomspace(0.1, 100, 91).tolist())  # the τ of a diagram
ROBOTS = "two_robots"
STABLE, UNSTABLE = "#20639b", "#c2185b"


@dataclass(frozen=True)
class Row:
    """One equilibrium at one τ; `stable` under best-response dynamics, unknown where only symmetric ones are sought."""

    tau: float
    eps: float
    profile: tuple[tuple[float, ...], ...]  # x of each seat
    first: tuple[float, ...]  # P(action 0) of each seat: effort, in the ready-made games
    payoffs: tuple[float, ...]  # E u_i
    welfare: float  # their sum
    free_riding: float  # |E c_0 − E c_1|
    stable: bool | None
    residual: float
    exploitability: float


@dataclass(frozen=True)
class Robots:
    """The two robots' equilibrium at one τ, alike for both; all None where the risk is infinite, τε ≥ 2."""

    tau: float
    eps: float
    mean: float | None = None  # of either action
    variance: float | None = None
    reward: float | None = None  # E R
    welfare: float | None = None  # 2 E R − E c_0 − E c_1
    free_riding: float | None = None  # |E c_0 − E c_1|
    residual: float | None = None

    @property
    def infinite_risk(self) -> bool:
        """Whether no strategy has a finite risk value, so that there is no equilibrium."""
        return self.mean is None


def robots_only(cost: float | None, beta: float | None, plot: Path | None) -> None:
    """Raises Refused for options that the two robots have no use for."""
    given = {"cost": cost, "beta": beta, "plot": plot}
    named = [f"--{name}" for name, value in given.items() if value is not None]
    if named:
        raise Refused(f"{ROBOTS} takes --target, --eps and --tau; given {', '.join(named)}, for matrix games alone")


def game_of(text: str, cost: float | None = None, beta: float | None = None, target: float | None = None) -> Matrix:
    """The matrix game `text` means: a ready-made name, `matrix:…`, or a TOML file. Raises Refused for anything else."""
    if target is not None:
        raise Refused(f"{text}: target goes with {ROBOTS}")
    if text in READY:
        given = {"game": text, "cost": cost, "beta": beta}
        return build(Matrix, {name: value for name, value in given.items() if value is not None}, text)
    if cost is not None or beta is not None:
        raise Refused(f"{text}: cost and beta go with a ready-made game: {', '.join(READY)}")
    if not text.endswith(".toml") and text.partition(":")[0] not in GAMES:
        raise unknown("matrix game", text, (*READY, ROBOTS))
    game = from_table(GAMES, read_toml(Path(text)), text) if text.endswith(".toml") else from_text(GAMES, text)
    if not isinstance(game, Matrix):
        raise Refused(f"{text} is no matrix game; want {', '.join(READY)}, matrix:… or a TOML file of one")
    return game


def equilibria(game: Matrix, taus: Sequence[float], eps: float, variant: Variant | None = None) -> list[Row]:
    """The equilibria found of one round at every τ: all kinds for two seats, the symmetric ones for more."""
    return [row for tau in taus for row in (_two if game.seats == 2 else _more)(game, float(tau), eps, variant)]


def _two(game: Matrix, tau: float, eps: float, variant: Variant | None) -> Iterable[Row]:
    table = bimatrix.from_matrix(game)
    for e in solve(table, tau, eps, variant):
        profile = tuple(tuple(x.tolist()) for x in e.profile)
        first = tuple(x[0] for x in profile)
        stable = slope(table, e.logs, tau, eps, variant) < 1
        yield Row(tau, eps, profile, first, e.payoffs, e.welfare, e.free_riding, stable, e.residual, e.exploitability)


def _more(game: Matrix, tau: float, eps: float, variant: Variant | None) -> Iterable[Row]:
    seats = game.seats
    for e in symmetric.solve_symmetric(symmetric.from_matrix(game), tau, eps, variant):
        x = tuple(e.x.tolist())
        paid = (e.payoff,) * seats
        yield Row(tau, eps, (x,) * seats, (x[0],) * seats, paid, sum(paid), 0.0, None, e.residual, e.exploitability)


def robots(target: float, taus: Sequence[float], eps: float) -> list[Robots]:
    """The two robots' equilibrium at every τ. Raises Refused for a target, τ or ε that makes no sense."""
    if not np.isfinite(target):
        raise Refused(f"target = {target}; want a finite number")
    return [_robots(two_robots(target), float(tau), eps) for tau in taus]


def _robots(game: Quadratic, tau: float, eps: float) -> Robots:
    if tau == np.inf and 0 < eps < np.inf:
        return Robots(tau, eps)
    try:
        e = solve_quadratic(game, tau, eps)
    except InfiniteRisk:
        return Robots(tau, eps)
    mean, variance = float(e.means[0, 0]), float(e.covariances[0, 0, 0])
    return Robots(tau, eps, mean, variance, e.reward, e.welfare, e.free_riding, e.residual)


def to_json(game: Matrix | str, rows: Sequence[Row] | Sequence[Robots]) -> str:
    """The rows with full precision; τ = ∞ is written as the string "inf", since JSON has no such number."""
    listed = [asdict(row) | {"tau": "inf" if row.tau == np.inf else row.tau} for row in rows]
    for row, shown in zip(rows, listed, strict=True):
        shown |= {"infinite_risk": row.infinite_risk} if isinstance(row, Robots) else {}
    name = game if isinstance(game, str) else game.spec.name
    return json.dumps({"game": name, "equilibria": listed}, indent=2, allow_nan=False)


def table(game: Matrix, rows: Sequence[Row]) -> "Table":
    """The rows to four digits for the terminal."""
    from rich.table import Table

    action = game.spec.actions[0]
    grid = Table(title=game.spec.name, title_justify="left")
    for name in ("τ", "ε", f"P({action}) per seat", "payoffs", "welfare", "free-riding", "stable", "exploitability"):
        grid.add_column(name, justify="right")
    for row in rows:
        stable = {True: "yes", False: "no", None: "–"}[row.stable]
        numbers = (_four(row.first), _four(row.payoffs), _four([row.welfare]), _four([row.free_riding]))
        grid.add_row(f"{row.tau:g}", f"{row.eps:g}", *numbers, stable, f"{row.exploitability:.0e}")
    return grid


def robots_table(target: float, rows: Sequence[Robots]) -> "Table":
    """The two robots' rows to four digits for the terminal."""
    from rich.table import Table

    grid = Table(title=f"{ROBOTS}, ā = {target:g}", title_justify="left")
    for name in ("τ", "ε", "mean", "variance", "reward", "welfare", "free-riding", "residual"):
        grid.add_column(name, justify="right")
    for row in rows:
        numbers = [row.mean, row.variance, row.reward, row.welfare, row.free_riding]
        shown = [f"{v:.4f}" if v is not None else "–" for v in numbers] + [f"{row.residual or 0:.0e}"]
        if row.infinite_risk:
            shown = ["infinite risk", *["–"] * 5]
        grid.add_row(f"{row.tau:g}", f"{row.eps:g}", *shown)
    return grid


def _four(values: Sequence[float]) -> str:
    return "  ".join(f"{v:.4f}" for v in values)


def draw(game: Matrix, rows: Sequence[Row], path: Path) -> list[Path]:
    """Writes the diagram as `path` with .png and .svg: P(action 0), welfare and free-riding over τ. Returns both."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    stem = path.with_suffix("") if path.suffix in (".png", ".svg") else path
    targets = [stem.with_name(stem.name + suffix) for suffix in (".png", ".svg")]
    with matplotlib.rc_context({"svg.hashsalt": "crossplay", "font.family": "DejaVu Sans", "font.size": 8}):
        figure = Figure(figsize=(7.2, 2.5), layout="constrained")
        FigureCanvasAgg(figure)
        panels = figure.subplots(1, 3)
        action = game.spec.actions[0]
        for axes, label, pick in zip(
            panels,
            (f"P({action}), either seat", "welfare, Σ E u", "free-riding, |E c₀ − E c₁|"),
            (lambda r: r.first, lambda r: (r.welfare,), lambda r: (r.free_riding,)),
            strict=True,
        ):
            _panel(axes, label, [(row, value) for row in rows if row.tau < np.inf for value in pick(row)])
        panels[0].set_ylim(-0.03, 1.03)
        panels[2].set_ylim(bottom=0)
        _legend(panels[1], rows)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            for target in targets:
                metadata = {"Date": None} if target.suffix == ".svg" else {}
                figure.savefig(target, dpi=200, metadata=metadata)
        except OSError as error:
            raise Refused(f"cannot write the diagram {path}: {error.strerror or error}") from None
    return targets


def _panel(axes: Any, label: str, points: Sequence[tuple[Row, float]]) -> None:
    for stable, style in _STYLES.items():
        chosen = [(row.tau, value) for row, value in points if (row.stable is not False) == stable]
        if chosen:
            axes.plot(*zip(*chosen, strict=True), linestyle="none", clip_on=False, **style)
    axes.set_xscale("symlog", linthresh=0.1, linscale=0.5)
    axes.set_xlim(left=0)
    axes.margins(y=0.08)
    axes.set_xlabel("risk aversion τ")
    axes.set_title(label, fontsize=8, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.5)


def _legend(axes: Any, rows: Sequence[Row]) -> None:
    from matplotlib.lines import Line2D

    kinds = [kind for kind in _STYLES if any((row.stable is not False) == kind for row in rows)]
    names = {True: "stable" if any(row.stable for row in rows) else "symmetric", False: "unstable"}
    handles = [Line2D([], [], linestyle="none", label=names[kind], **_STYLES[kind]) for kind in kinds]
    axes.legend(handles=handles, loc="best", frameon=False)


_STYLES: dict[bool, dict[str, Any]] = {
    True: {"marker": "o", "markersize": 2.4, "color": STABLE},
    False: {"marker": "o", "markersize": 2.4, "markerfacecolor": "white", "markeredgewidth": 0.8, "color": UNSTABLE},
}
