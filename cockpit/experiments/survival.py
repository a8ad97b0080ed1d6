"""Kaplan-Meier: how many bought again by which day, when the youngest have not had the time.

It assumes that a profile's age today says nothing of its tendency. The band is pointwise, for one look: the curve
describes and carries no verdict. Sources: Kaplan, Meier (1958); Greenwood (1926); statistics.md section 11.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple


class Point(NamedTuple):
    """`share`: of profiles that bought again by this day; `se` of it by Greenwood, None once nobody is left."""

    day: int
    share: float
    se: float | None


def kaplan_meier(waited: Mapping[int, int], censored: Mapping[int, int]) -> list[Point]:
    """By day on which somebody bought again, the first day first. Nobody gives no points.

    Takes profiles by days waited for it, and by days observed without it: these are at risk until that day's end.
    """
    at_risk = sum(waited.values()) + sum(censored.values())
    survival, hazard, points = 1.0, 0.0, []
    for day in sorted(waited.keys() | censored.keys()):
        bought = waited.get(day, 0)
        if bought:
            left = at_risk - bought
            survival *= left / at_risk
            hazard += bought / (at_risk * left) if left else math.inf
            points.append(Point(day, 1 - survival, survival * math.sqrt(hazard) if left else None))
        at_risk -= bought + censored.get(day, 0)
    return points
