"""One rate with an interval that holds at every look and at any size, without asymptotics.

It is the sample ratio test turned round: the rates that the counts seen do not speak against. Source: Howard, Ramdas,
McAuliffe, Sekhon (2021), Time-uniform, nonparametric, nonasymptotic confidence sequences (the beta-binomial mixture).
"""

import math
from collections.abc import Callable

from cockpit.experiments.interval import ALPHA, Range, best_information
from cockpit.experiments.sample_ratio import log_bayes_factor

LEAST = 1e-3  # concentration, where `t_opt` is so small that the formula has none
HALVINGS = 40  # of a range of 1: to twelve digits


def bernoulli_interval(successes: int, trials: int, t_opt: float, alpha: float = ALPHA) -> Range | None:
    """Share of successes. It is tightest at about `t_opt` trials. None without a trial."""
    if trials <= 0:
        return None
    concentration = max(t_opt / best_information() - 1, LEAST)

    def is_held(rate: float) -> bool:
        counts = {"success": successes, "failure": trials - successes}
        return log_bayes_factor(counts, {"success": rate, "failure": 1 - rate}, concentration) < -math.log(alpha)

    seen = successes / trials
    low = 0.0 if successes == 0 else _edge(is_held, 0.0, seen)
    high = 1.0 if successes == trials else _edge(is_held, 1.0, seen)
    return Range(seen, low, high)


def _edge(is_held: Callable[[float], bool], outside: float, inside: float) -> float:
    """Between a rate that is not held and one that is."""
    for _ in range(HALVINGS):
        middle = (outside + inside) / 2
        if is_held(middle):
            inside = middle
        else:
            outside = middle
    return inside
