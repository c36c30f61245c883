"""How far colours are apart, for people who see all of them and for those who are red-green blind; pure.

Sources: https://www.inf.ufrgs.br/~oliveira/pubs_files/CVD_Simulation/CVD_Simulation.html (Machado, Oliveira, Fernandes:
matrices of full protanopia and deuteranopia), and the definition of CIE L*a*b* for the D65 white.
"""

import math
import re
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TypeAlias

Colour: TypeAlias = tuple[float, float, float]
Matrix: TypeAlias = tuple[Colour, Colour, Colour]

LEAST_DISTANCE = 20.0
"""In L*a*b*. For deuteranopes Grafana's green and red are 8 apart, its red and orange 36; for all, two greens 21."""

# Grafana's palette in its dark theme, light to dark (packages/grafana-data, createVisualizationColors).
_PALETTE = {
    "red": ("#ffa6b0", "#ff7383", "#f2495c", "#e02f44", "#c4162a"),
    "orange": ("#ffcb7d", "#ffb357", "#ff9830", "#ff780a", "#fa6400"),
    "yellow": ("#fff899", "#ffee52", "#fade2a", "#f2cc0c", "#e0b400"),
    "green": ("#c8f2c2", "#96d98d", "#73bf69", "#56a64b", "#37872d"),
    "blue": ("#c0d8ff", "#8ab8ff", "#5794f2", "#3274d9", "#1f60c4"),
    "purple": ("#deb6f2", "#ca95e5", "#b877d9", "#a352cc", "#8f3bb8"),
}
_SHADES = ("super-light-", "light-", "", "semi-dark-", "dark-")
_NAMED = {f"{shade}{hue}": colour for hue, row in _PALETTE.items() for shade, colour in zip(_SHADES, row, strict=True)}
_MATRICES: tuple[Matrix, ...] = (
    ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
)
_WHITE = (0.95047, 1.0, 1.08883)
_TO_XYZ: Matrix = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
# Where sRGB's and L*a*b*'s curves begin to bend.
_LINEAR_BELOW = 0.04045
_CUBIC_ABOVE = 0.008856
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def confusable(colours: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The pairs of different colours that somebody can't tell apart; colours of the theme itself (`text`) are none."""
    known = [(name, rgb) for name in dict.fromkeys(colours) if (rgb := _linear(name)) is not None]
    for (one, one_rgb), (other, other_rgb) in combinations(known, 2):
        if min(_distance(one_rgb, other_rgb, matrix) for matrix in _MATRICES) < LEAST_DISTANCE:
            yield one, other


def _linear(name: str) -> Colour | None:
    text = _NAMED.get(name, name)
    if not _HEX.fullmatch(text):
        return None
    red, green, blue = (int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _linear_light(red), _linear_light(green), _linear_light(blue)


def _linear_light(part: float) -> float:
    return part / 12.92 if part <= _LINEAR_BELOW else float(((part + 0.055) / 1.055) ** 2.4)


def _distance(one: Colour, other: Colour, seen_by: Matrix) -> float:
    return math.dist(_lab(_times(seen_by, one)), _lab(_times(seen_by, other)))


def _lab(rgb: Colour) -> Colour:
    shown = tuple(min(1.0, max(0.0, part)) for part in rgb)
    x, y, z = (_cube_root(part / white) for part, white in zip(_times(_TO_XYZ, shown), _WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _cube_root(part: float) -> float:
    return float(part ** (1 / 3)) if part > _CUBIC_ABOVE else 7.787 * part + 16 / 116


def _times(matrix: Matrix, vector: Sequence[float]) -> Colour:
    first, second, third = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return first, second, third
