"""What every figure shares: a sheet that leaves pyplot alone, files that come out equal, and refusals to write."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crossplay.benchmark.errors import Refused, unknown

FORMATS = ("png", "pdf", "svg")
PAIR = ("png", "svg")  # what is written where nobody says
DPI = 200
STYLE: dict[str, Any] = {
    "svg.hashsalt": "crossplay",  # equal figures, equal files
    "pdf.fonttype": 42,  # publishers refuse Type 3
    "font.family": "DejaVu Sans",
}
_METADATA: dict[str, dict[str, Any]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


def check(formats: Sequence[str]) -> tuple[str, ...]:
    """These formats, each once. Raises Refused with the nearest name for one there is not, and for none at all."""
    for name in formats:
        if name not in FORMATS:
            raise unknown("picture format", name, FORMATS)
    if not formats:
        raise Refused(f"no picture format given; wanted some of {', '.join(FORMATS)}")
    return tuple(dict.fromkeys(formats))


def format_of(path: Path) -> str:
    """The picture format that a file's name asks for. Raises Refused with the nearest name."""
    suffix = path.suffix.lower().removeprefix(".")
    if not suffix:
        raise Refused(f"{path}: a figure's file ends in .png, .pdf or .svg; given no suffix")
    return check([suffix])[0]


def write(
    path: Path,
    what: str,
    picture: Callable[[Sequence[Path]], None],
    numbers: str,
    formats: Sequence[str] = (),
) -> list[Path]:
    """Writes `path` in these formats, which `picture` draws, and as .csv; returns all paths, the numbers' last.

    Without formats: PNG and SVG, and the one that its name asks for. Raises Refused where it cannot, naming `what`.
    """
    suffix = path.suffix.lower().removeprefix(".")
    stem = path.name.removesuffix(path.suffix) if suffix in (*FORMATS, "csv") else path.name
    asked = check(formats or (*PAIR, *(name for name in FORMATS if name == suffix)))
    targets = [path.with_name(f"{stem}.{name}") for name in (*asked, "csv")]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(targets[:-1])
        targets[-1].write_text(numbers, encoding="utf-8")
    except OSError as error:
        raise Refused(f"cannot write {what} {path}: {error.strerror or error}") from None
    return targets


@contextmanager
def sheet(size: tuple[float, float], targets: Sequence[Path], **style: Any) -> Iterator[Any]:
    """A figure of this size in inches to draw on, saved into `targets` at the end; `style` is matplotlib's settings."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    settings: Any = STYLE | style  # matplotlib's own type lists every key
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=size)
        FigureCanvasAgg(figure)
        yield figure
        for target in targets:
            figure.savefig(target, dpi=DPI, metadata=_METADATA.get(target.suffix, {}))


def width(text: str, font: float, weight: str = "normal") -> float:
    """How wide a text will be, in inches; `font` in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    return float(TextPath((0, 0), text, size=font, prop=FontProperties(weight=weight)).get_extents().width) / 72
