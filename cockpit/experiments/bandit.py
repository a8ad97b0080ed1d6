"""Thompson sampling: treatments get profiles in proportion to how probable it is that each is the best one.

Laws: the control keeps its planned share, so control against everything that was served stays a valid comparison;
shares add up to 1; no treatment falls below FLOOR of what the treated get, so that a bad start can be made good.
Source: Thompson (1933), On the likelihood that one unknown probability exceeds another.
"""

from collections.abc import Mapping
from datetime import datetime
from math import sqrt
from statistics import NormalDist
from zoneinfo import ZoneInfo

from cockpit.clock import business_day
from cockpit.experiments.interval import NotEnoughData, estimate_of
from cockpit.experiments.lifecycle import Entry, Experiment, Status
from cockpit.experiments.metrics import metric_of
from cockpit.experiments.moments import Moments
from cockpit.experiments.registration import Registration

FLOOR = 0.05  # of the treated; with more than 20 treatments an equal part of them
LEAST_NONZERO = 25  # profiles in every treatment, as for a verdict (statistics.md section 15)
LEAST_MOVE = 0.01  # of all profiles: less is not worth an epoch of its own
POINTS = 1000
ACTOR = "cockpit"
STANDARD = NormalDist()
QUANTILES = tuple(STANDARD.inv_cdf((place + 0.5) / POINTS) for place in range(POINTS))


def reallocation_due(experiment: Experiment, now: datetime, zone: ZoneInfo) -> bool:
    """Whether a running bandit has not got its shares of this business day yet; never on the day that it started."""
    if experiment.registration.allocation != "thompson" or experiment.status is not Status.RUNNING:
        return False
    return business_day(experiment.epochs[-1].start, zone) < business_day(now, zone)


def reallocate(experiment: Experiment, moments: Mapping[str, Moments], at: datetime) -> Entry | None:
    """The decision for the journal; None when no share would move by LEAST_MOVE."""
    registration = experiment.registration
    shares = thompson_shares(moments, registration)
    if max(abs(share - experiment.shares[variant_id]) for variant_id, share in shares.items()) < LEAST_MOVE:
        return None
    return Entry(
        at=at,
        actor=ACTOR,
        role=ACTOR,
        experiment_id=registration.experiment_id,
        version=registration.version,
        action="reallocate",
        details={"shares": shares, "chances": chances(moments, registration)},
    )


def thompson_shares(moments: Mapping[str, Moments], registration: Registration) -> dict[str, float]:
    """Shares of all variants, from their moments of the primary metric; the planned ones while too little is known."""
    probable = chances(moments, registration)
    if not probable:
        return registration.shares
    treated = 1 - registration.shares[registration.control]
    floor = min(FLOOR, 1 / len(probable))
    spread = 1 - floor * len(probable)
    moved = {variant_id: treated * (floor + spread * chance) for variant_id, chance in probable.items()}
    return {**registration.shares, **moved}


def chances(moments: Mapping[str, Moments], registration: Registration) -> dict[str, float]:
    """The probability of each treatment to be the best of them, in the direction of the primary metric; sums to 1.

    From the normal posterior of its mean under a flat prior. Empty while a treatment has fewer than LEAST_NONZERO
    profiles with the metric, or no variance.
    """
    metric = metric_of(registration.primary)
    sign = -1 if metric.lower_is_better else 1
    treatments = [variant.id for variant in registration.variants if variant.id != registration.control]
    known = {variant_id: moments.get(variant_id, Moments()) for variant_id in treatments}
    if min(each.nonzero for each in known.values()) < LEAST_NONZERO:
        return {}
    try:
        posteriors = {variant_id: estimate_of(metric, each) for variant_id, each in known.items()}
    except NotEnoughData:
        return {}
    return _best(
        {variant_id: NormalDist(sign * mean, sqrt(variance)) for variant_id, (mean, variance) in posteriors.items()}
    )


def _best(posteriors: Mapping[str, NormalDist]) -> dict[str, float]:
    """For each: the mean, over its own quantiles, of the probability that all others lie below."""
    raw = {}
    for variant_id, own in posteriors.items():
        others = [other for name, other in posteriors.items() if name != variant_id]
        raw[variant_id] = sum(_all_below(others, own.mean + own.stdev * quantile) for quantile in QUANTILES)
    total = sum(raw.values())
    return {variant_id: each / total for variant_id, each in raw.items()}


def _all_below(others: list[NormalDist], bound: float) -> float:
    product = 1.0
    for other in others:
        product *= other.cdf(bound)
    return product
