"""What could have been seen: the smallest uplift, and the profiles it takes. Source: statistics.md section 10."""

import math
from statistics import NormalDist

from cockpit.experiments.interval import ALPHA, Estimate, Interval, best_information, multiplier

POWER = NormalDist().inv_cdf(0.8)  # 0.8416: found in 80 of 100 cases


def smallest_visible(interval: Interval) -> float:
    """The uplift (a fraction; of an absolute interval the difference) that would be seen with 80 % power, as of now."""
    reach = (interval.multiplier + POWER) * interval.se
    return math.expm1(reach) if interval.is_relative else reach


def squared_variation(estimate: Estimate, profiles: int) -> float:
    """CV squared of one profile: its variance over its mean squared."""
    return profiles * estimate.variance / estimate.mean**2


def profiles_needed(
    cv2: float, control_share: float, lift: float, alpha: float = ALPHA, *, is_live: bool = True
) -> int:
    """In both variants together, to find a relative uplift with 80 % power: live at its best, or at a fixed end."""
    return _profiles(cv2 / math.log1p(lift) ** 2, control_share, alpha, is_live=is_live)


def profiles_for_difference(
    variance: float, control_share: float, difference: float, alpha: float = ALPHA, *, is_live: bool = True
) -> int:
    """The same for an absolute difference; `variance` is that of one profile."""
    return _profiles(variance / difference**2, control_share, alpha, is_live=is_live)


def _profiles(noise: float, control_share: float, alpha: float, *, is_live: bool) -> int:
    times = multiplier(best_information(alpha), alpha) if is_live else NormalDist().inv_cdf(1 - alpha / 2)
    return math.ceil((times + POWER) ** 2 * noise * (1 / control_share + 1 / (1 - control_share)))
