"""Colours of series are told apart by everyone, on both themes and on paper, and stand out from their tile."""

import math
import re
from itertools import combinations
from pathlib import Path

import pytest
from django.conf import settings

CSS = Path(settings.BASE_DIR) / "static/css"
NEIGHBOURS_LEAST, PAIRS_LEAST, CONTRAST_LEAST = 11.0, 8.0, 3.0
"""In ΔE2000: 2.3 is what can just be seen. The contrast of graphics is that of WCAG 2.2, 1.4.11."""
Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]
VISIONS: dict[str, Matrix] = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
"""Of linear RGB: Machado, Oliveira and Fernandes 2009, https://doi.org/10.1109/TVCG.2009.113, severity 1."""
XYZ: Matrix = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
WHITE = (0.95047, 1.0, 1.08883)
THEMES = {
    "dark": ("theme", r":root"),
    "light": ("theme", r':root\[data-theme="light"\]'),
    "paper": ("print", r":root, :root\[data-theme\]"),
}


def colours(theme: str) -> dict[str, str]:
    """Return the colours of a theme by name."""
    sheet, selector = THEMES[theme]
    found = re.search(rf"^{selector} {{(.*?)}}", (CSS / f"{sheet}.css").read_text(), re.S | re.M)
    assert found
    return {
        name: text if len(text) == 7 else "#" + "".join(2 * digit for digit in text[1:])
        for name, text in re.findall(r"--([\w-]+): (#\w+);", found[1])
    }


def series(theme: str) -> list[str]:
    return [text for name, text in colours(theme).items() if name.startswith("series-")]


def times(matrix: Matrix, vector: Triple) -> Triple:
    one, two, three = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return one, two, three


def linear(colour: str) -> Triple:
    """Return sRGB as linear light: IEC 61966-2-1."""
    values = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    one, two, three = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values)
    return one, two, three


def lab(rgb: Triple) -> Triple:
    """Return CIE L*a*b* under D65."""
    one, two, three = (max(0.0, min(1.0, value)) for value in rgb)
    shares = (value / white for value, white in zip(times(XYZ, (one, two, three)), WHITE, strict=True))
    x, y, z = (math.cbrt(t) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in shares)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def difference(one: Triple, other: Triple) -> float:
    """Return CIE ΔE2000: Sharma, Wu and Dalal 2005, https://doi.org/10.1002/col.20070."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    g = (1 - math.sqrt(mean**7 / (mean**7 + 25**7))) / 2
    c1, c2 = math.hypot((1 + g) * a1, b1), math.hypot((1 + g) * a2, b2)
    h1, h2 = (math.degrees(math.atan2(b, (1 + g) * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = 0.0 if not c1 * c2 else (h2 - h1 + 180) % 360 - 180
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    hue = h1 + h2 if not c1 * c2 else (h1 + turn / 2) % 360
    t = (
        1
        - 0.17 * math.cos(math.radians(hue - 30))
        + 0.24 * math.cos(math.radians(2 * hue))
        + 0.32 * math.cos(math.radians(3 * hue + 6))
        - 0.20 * math.cos(math.radians(4 * hue - 63))
    )
    of_l = (l2 - l1) / (1 + 0.015 * (lightness - 50) ** 2 / math.sqrt(20 + (lightness - 50) ** 2))
    of_c = (c2 - c1) / (1 + 0.045 * chroma)
    of_h = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2)) / (1 + 0.015 * chroma * t)
    turned = -2 * math.sqrt(chroma**7 / (chroma**7 + 25**7))
    turned *= math.sin(math.radians(60 * math.exp(-(((hue - 275) / 25) ** 2))))
    return math.sqrt(of_l**2 + of_c**2 + of_h**2 + turned * of_c * of_h)


def contrast(one: str, other: str) -> float:
    light, dark = sorted((times(XYZ, linear(colour))[1] for colour in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_difference_is_that_of_the_published_pairs(one: Triple, other: Triple, expected: float) -> None:
    assert difference(one, other) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("theme", THEMES)
class TestSeries:
    @pytest.mark.parametrize("vision", VISIONS)
    def test_any_two_are_told_apart(self, theme: str, vision: str) -> None:
        seen = [lab(times(VISIONS[vision], linear(colour))) for colour in series(theme)]
        assert len(seen) == 8
        alike = {
            (one + 1, two + 1): round(difference(seen[one], seen[two]), 1)
            for one, two in combinations(range(len(seen)), 2)
            if difference(seen[one], seen[two]) < (NEIGHBOURS_LEAST if two - one == 1 else PAIRS_LEAST)
        }
        assert alike == {}

    def test_they_stand_out_from_their_tile(self, theme: str) -> None:
        panel = colours(theme)["panel"]
        assert {one: contrast(one, panel) for one in series(theme) if contrast(one, panel) < CONTRAST_LEAST} == {}

    def test_none_looks_like_a_state(self, theme: str) -> None:
        """Red, amber and green always mean something."""
        found = colours(theme)
        states = [lab(linear(found[name])) for name in ("ok", "warn", "critical")]
        assert [one for one in series(theme) if min(difference(lab(linear(one)), state) for state in states) < 12] == []


def test_the_alike_are_found() -> None:
    """Red and green for one are the same for the other."""
    red, green = "#d92d2d", "#7a6b00"
    seen = {
        name: difference(*(lab(times(matrix, linear(one))) for one in (red, green))) for name, matrix in VISIONS.items()
    }
    assert seen["usual"] > 40
    assert seen["deuteranopia"] < NEIGHBOURS_LEAST
