"""The chi-square distribution, for the two figures that are shown for one look only."""

import math

SERIES = 1000  # terms; it converges long before


def chi_square_p(statistic: float, freedom: int) -> float:
    """Chance of a statistic this large or larger: the regularized upper incomplete gamma function.

    Source: Abramowitz, Stegun (1964), 6.5.29 (the series) and 6.5.31 (the continued fraction).
    """
    shape, x = freedom / 2, statistic / 2
    if x <= 0:
        return 1.0
    scale = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    return 1 - scale * _series(shape, x) if x < shape + 1 else scale * _fraction(shape, x)


def _series(shape: float, x: float) -> float:
    term = total = 1 / shape
    for step in range(1, SERIES):
        term *= x / (shape + step)
        total += term
        if term < total * 1e-17:
            break
    return total


def _fraction(shape: float, x: float) -> float:
    """By the method of Lentz, as in Thompson, Barnett (1986)."""
    b = x + 1 - shape
    c, d = math.inf, 1 / b
    value = d
    for step in range(1, SERIES):
        a = -step * (step - shape)
        b += 2
        d, c = 1 / (a * d + b), b + a / c
        value *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return value
