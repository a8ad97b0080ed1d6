"""What eyes make of two colours: WCAG contrast, and distances as normal and colour-blind eyes see them.

Sources: WCAG 2.2; Machado, Oliveira, Fernandes (2009), severity 1.0, in linear RGB; CIEDE2000 by Sharma, Wu, Dalal
(2005).
"""

import math
from collections.abc import Mapping, Sequence

Triple = tuple[float, float, float]

EYES: Mapping[str, Sequence[Triple]] = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
D65 = (0.95047, 1.0, 1.08883)


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    high, low = sorted((_luminance(linear(one)), _luminance(linear(other))), reverse=True)
    return (high + 0.05) / (low + 0.05)


def distance(one: str, other: str, eyes: str = "normal") -> float:
    """CIEDE2000; about 1 is just noticed."""
    return ciede2000(lab(seen(linear(one), eyes)), lab(seen(linear(other), eyes)))


def linear(colour: str) -> Triple:
    """Of #RRGGBB."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def seen(rgb: Triple, eyes: str) -> Triple:
    """Linear RGB as these eyes have it."""
    red, green, blue = (min(max(value, 0.0), 1.0) for value in _times(EYES[eyes], rgb))
    return red, green, blue


def lab(rgb: Triple) -> Triple:
    x, y, z = (_root(value / white) for value, white in zip(_times(TO_XYZ, rgb), D65, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def ciede2000(one: Triple, other: Triple) -> float:
    """With the weights kL, kC, kH of 1."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    c7 = ((math.hypot(a1, b1) + math.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - math.sqrt(c7 / (c7 + 25**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = math.degrees(math.atan2(b1, a1)) % 360, math.degrees(math.atan2(b2, a2)) % 360
    l, c, h = (l1 + l2) / 2, (c1 + c2) / 2, _mean_hue(h1, h2, c1 * c2)  # noqa: E741 - the paper's letters
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    if c1 * c2 and turn == -180 and h2 > h1:
        turn = 180.0
    dl, dc, dh = l2 - l1, c2 - c1, 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn) / 2)
    sl = 1 + 0.015 * (l - 50) ** 2 / math.sqrt(20 + (l - 50) ** 2)
    sc, sh = 1 + 0.045 * c, 1 + 0.015 * c * _of_hue(h)
    rotation = -2 * math.sqrt(c**7 / (c**7 + 25**7)) * math.sin(math.radians(60 * math.exp(-(((h - 275) / 25) ** 2))))
    return math.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rotation * (dc / sc) * (dh / sh))


def _mean_hue(h1: float, h2: float, product: float) -> float:
    if not product:
        return h1 + h2
    if abs(h1 - h2) <= 180:
        return (h1 + h2) / 2
    return (h1 + h2 + 360) / 2 if h1 + h2 < 360 else (h1 + h2 - 360) / 2


def _of_hue(h: float) -> float:
    terms = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    return 1 + sum(weight * math.cos(math.radians(times * h + shift)) for weight, times, shift in terms)


def _luminance(rgb: Triple) -> float:
    return _times(((0.2126, 0.7152, 0.0722),), rgb)[0]


def _times(rows: Sequence[Triple], vector: Triple) -> tuple[float, ...]:
    return tuple(sum(left * right for left, right in zip(row, vector, strict=True)) for row in rows)


def _root(value: float) -> float:
    return value ** (1 / 3) if value > (6 / 29) ** 3 else value / (3 * (6 / 29) ** 2) + 4 / 29
