"""A line as an SVG of its own, for what reads no stylesheet of ours: numbers are pixels, colours are plain.

The plot is as wide and high as its paths are, times one factor: so strokes and corners stay as they are.
"""

import re
from html import escape
from textwrap import wrap

from metrics.widgets.annotated import Mark
from metrics.widgets.axis import Tick
from metrics.widgets.line import LineView
from metrics.widgets.maintained import InMaintenance

WIDTH, HEIGHT = 640, 280
LEFT, TOP, SCALE = 60, 34, 0.55
STRIP = 6
"""Height of an incident, above the plot."""
PLOT_WIDTH, PLOT_HEIGHT = 1000 * SCALE, 400 * SCALE
TITLE_MOST, LABEL_MOST, SAID_MOST = 70, 26, 100
SAID_LINES, SAID_HEIGHT = 2, 17
"""Lines of words under the chart for each thing, and how high one is: nobody can point at what is drawn."""
COLOURS = ("#2f6fde", "#c2571a", "#0f8a6c", "#8a4fd0", "#b0346d", "#6b7a12", "#0a7ea4", "#8c5a2b")
SMALL = 'font-size="11" fill="#5b6875"'
ACCENT, SOFT = "#1f6feb", "#5b6875"
LEVELS = {"warn": "#b26a00", "critical": "#c62828", "goal": "#c62828"}
INCIDENTS = {"critical": "#c62828", "warning": "#b26a00"}
UNFIT = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML may have: https://www.w3.org/TR/xml/#charsets"""


def svg(view: LineView, title: str, fired: float | None = None, maintenance: InMaintenance | None = None) -> str:
    """Return the drawing, of `WIDTH` by `HEIGHT`, and higher by each line that is said under it.

    `fired` (Unix seconds) is marked if it lies in the window; `maintenance` is that of its series.
    """
    said = [line for one in (view.annotations.said, maintenance.said if maintenance else "") for line in _lines(one)]
    height = HEIGHT + SAID_HEIGHT * len(said)
    parts = [
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="20" font-size="14" fill="#1c2733">{escape(_cut(title, TITLE_MOST))}</text>',
        *(_rule(tick) for tick in view.values.ticks),
        *(_time(tick) for tick in view.times),
        f'<text x="12" y="{HEIGHT - 8}" font-size="11" fill="#5b6875">{escape(view.values.unit)}</text>',
        f'<g transform="translate({LEFT} {TOP}) scale({SCALE})">',
        *_band(maintenance),
        *_curves(view),
        "</g>",
        *(_mark(one) for one in view.annotations.marks),
        *_limits(view),
        *_moment(view, fired),
        *(
            f'<text x="12" y="{HEIGHT - 8 + SAID_HEIGHT * place}" {SMALL}>{escape(text)}</text>'
            for place, text in enumerate(said, 1)
        ),
    ]
    return UNFIT.sub(
        "",
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif">{"".join(parts)}</svg>',
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


def _band(maintenance: InMaintenance | None) -> list[str]:
    if maintenance is None or not maintenance.band:
        return []
    edge = f'stroke="{SOFT}" stroke-width="{1 / SCALE:.2f}" stroke-dasharray="7 6"'
    return [f'<path d="{maintenance.band}" fill="{SOFT}" fill-opacity="0.16" {edge}/>']


def _mark(mark: Mark) -> str:
    x = LEFT + _share(mark.place) * PLOT_WIDTH
    width = _share(mark.width) * PLOT_WIDTH if mark.width else 0.0
    colour = INCIDENTS.get(mark.severity, SOFT) if mark.severity else ACCENT
    top, height, opacity = (TOP - STRIP, STRIP, 0.85) if mark.severity else (TOP, PLOT_HEIGHT, 0.13)
    size = f'width="{width:.1f}" height="{height:.1f}"'
    band = f'<rect x="{x:.1f}" y="{top}" {size} fill="{colour}" fill-opacity="{opacity}"/>' if width else ""
    pen = f'stroke="{colour}" stroke-width="1.5" stroke-dasharray="2 2"'
    return (
        f'{band}<path d="M{x:.1f} {TOP}v{PLOT_HEIGHT:.1f}" {pen}/>'
        f'<circle cx="{x:.1f}" cy="{top + (STRIP / 2 if mark.severity else 4)}" r="4" fill="{colour}"/>'
    )


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
        f'<path d="M{x:.1f} {TOP}l-5 -7h10z" fill="#c62828" stroke="#ffffff"/>'
    ]


def _share(place: str) -> float:
    return float(place.removesuffix("%")) / 100


def _lines(said: str) -> list[str]:
    return wrap(said, SAID_MOST, max_lines=SAID_LINES, placeholder="…")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
