"""Pictures that are part of a page, as SVG text."""

from collections.abc import Sequence

from markupsafe import Markup

WIDE, HIGH, LEFT, LOW = 640, 220, 52, 28


def curves(seeds: Sequence[Sequence[Sequence[float]]]) -> Markup:
    """Learning curves, a line a seed: [steps, return] points. Empty where no seed has any."""
    points = [point for seed in seeds for point in seed]
    if not points:
        return Markup("")
    most = max(x for x, _ in points) or 1
    low, high = min(0.0, *(y for _, y in points)), max(y for _, y in points)
    span = (high - low) or 1.0

    def at(x: float, y: float) -> str:
        return f"{LEFT + (WIDE - LEFT - 8) * x / most:.1f},{8 + (HIGH - LOW - 8) * (1 - (y - low) / span):.1f}"

    lines = "".join(
        f'<polyline class="curve c{i % 5}" points="{" ".join(at(x, y) for x, y in seed)}"/>'
        for i, seed in enumerate(seeds)
        if seed
    )
    ticks = "".join(
        f'<text x="{LEFT - 6}" y="{at(0, y).split(",")[1]}" dy="4" text-anchor="end">{y:.3g}</text>'
        for y in (low, (low + high) / 2, high)
    )
    axis = (
        f'<path class="axis" d="M{LEFT} 8V{HIGH - LOW}H{WIDE - 8}"/>'
        f'<text x="{WIDE - 8}" y="{HIGH - 8}" text-anchor="end">{most:.3g} environment steps</text>'
    )
    label = f"Learning curves of {len(seeds)} seeds: training return from {low:.3g} to {high:.3g}"
    return Markup(f'<svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{label}">{axis}{ticks}{lines}</svg>')
