"""A line as an SVG of its own, for what reads no stylesheet of ours: numbers are pixels, colours are plain.

The plot is as wide and high as its paths are, times one factor: so strokes and corners stay as they are.
"""

from html import escape

from metrics.widgets.axis import Tick
from metrics.widgets.line import LineView

WIDTH, HEIGHT = 640, 280
LEFT, TOP, SCALE = 60, 34, 0.55
PLOT_WIDTH, PLOT_HEIGHT = 1000 * SCALE, 400 * SCALE
TITLE_MOST, LABEL_MOST = 70, 26
COLOURS = ("#2f6fde", "#c2571a", "#0f8a6c", "#8a4fd0", "#b0346d", "#6b7a12", "#0a7ea4", "#8c5a2b")
SMALL = 'font-size="11" fill="#5b6875"'
LEVELS = {"warn": "#b26a00", "critical": "#c62828", "goal": "#c62828"}


def svg(view: LineView, title: str, fired: float | None = None) -> str:
    """Return the drawing, of `WIDTH` by `HEIGHT`; `fired` (Unix seconds) is marked if it lies in the window."""
    parts = [
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="12" y="20" font-size="14" fill="#1c2733">{escape(_cut(title, TITLE_MOST))}</text>',
        *(_rule(tick) for tick in view.values.ticks),
        *(_time(tick) for tick in view.times),
        f'<text x="12" y="{HEIGHT - 8}" font-size="11" fill="#5b6875">{escape(view.values.unit)}</text>',
        f'<g transform="translate({LEFT} {TOP}) scale({SCALE})">',
        *_curves(view),
        "</g>",
        *_limits(view),
        *_moment(view, fired),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif">{"".join(parts)}</svg>'
    )


def _curves(view: LineView) -> list[str]:
    found = []
    for line in view.lines:
        colour = COLOURS[(line.colour - 1) % len(COLOURS)]
        if line.band:
            found.append(f'<path d="{line.band}" fill="{colour}" fill-opacity="0.2"/>')
        if line.area:
            found.append(f'<path d="{line.area}" fill="{colour}" fill-opacity="0.18"/>')
        pen = f'fill="none" stroke="{colour}" stroke-linejoin="round" stroke-linecap="round"'
        if line.path:
            found.append(f'<path d="{line.path}" {pen} stroke-width="{2 / SCALE:.2f}"/>')
        if line.dots:
            found.append(f'<path d="{line.dots}" {pen} stroke-width="{5 / SCALE:.2f}"/>')
    return found


def _rule(tick: Tick) -> str:
    y = TOP + _share(tick.place) * PLOT_HEIGHT
    return (
        f'<path d="M{LEFT} {y:.1f}H{LEFT + PLOT_WIDTH:.0f}" stroke="#e1e6eb"/>'
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" {SMALL} text-anchor="end">{escape(tick.text)}</text>'
    )


def _time(tick: Tick) -> str:
    x = LEFT + _share(tick.place) * PLOT_WIDTH
    y = TOP + PLOT_HEIGHT + 17
    return f'<text x="{x:.1f}" y="{y:.1f}" {SMALL} text-anchor="middle">{escape(tick.text)}</text>'


def _limits(view: LineView) -> list[str]:
    found = []
    for limit in view.limits:
        y, colour = TOP + _share(limit.place) * PLOT_HEIGHT, LEVELS[limit.level]
        found.append(
            f'<path d="M{LEFT} {y:.1f}H{LEFT + PLOT_WIDTH:.0f}" stroke="{colour}" stroke-width="1.5" '
            f'stroke-dasharray="6 4"/><text x="{LEFT + 4}" y="{y + (14 if limit.below else -5):.1f}" font-size="11" '
            f'fill="{colour}">{escape(_cut(limit.text, LABEL_MOST))}</text>'
        )
    return found


def _moment(view: LineView, fired: float | None) -> list[str]:
    if fired is None or not view.start <= fired <= view.end:
        return []
    x = LEFT + (fired - view.start) / (view.end - view.start) * PLOT_WIDTH
    bottom = TOP + PLOT_HEIGHT
    return [
        f'<path d="M{x:.1f} {TOP}V{bottom:.1f}" stroke="#1c2733" stroke-opacity="0.55" stroke-dasharray="2 3"/>'
        f'<path d="M{x:.1f} {TOP}l-5 -7h10z" fill="#c62828"/>'
    ]


def _share(place: str) -> float:
    return float(place.removesuffix("%")) / 100


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
