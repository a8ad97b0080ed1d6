"""What is drawn, how often, and what is promised of it: the list that `python -m tests.calibration` goes through."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from cockpit.experiments.interval import tau_of
from cockpit.experiments.metrics import Metric, metric_of
from cockpit.experiments.sample_ratio import sequential
from tests.calibration.bandits import Arms, count_of_bandit
from tests.calibration.draws import (
    Life,
    Pair,
    Shop,
    conversion,
    exposed,
    margin,
    order_value,
    responses,
    revenue,
    session_value,
)
from tests.calibration.follow import Reading, adjusted_readings, events, readings
from tests.calibration.mixes import Family, count_discoveries, count_in_drift
from tests.calibration.past import conversion_with_past, revenue_with_past
from tests.calibration.promises import Promise, at_least, at_most, compared, within

Draw = Callable[[Generator, Shop, int], Iterator[Life]]
Read = Callable[[Metric, float, Iterable[Pair]], Iterator[Reading]]

CHI_SQUARE_5 = 3.841459  # of one degree of freedom, exceeded with 5 %
MARGIN_PER_PROFILE = 0.03 * 100 * np.exp(4.5) * 0.12  # cents: orders, their mean, what is earned of it (`margins`)


class Scenario(NamedTuple):
    """`followed` draws so many experiments and counts in how many each event happened."""

    name: str
    runs: int
    followed: Callable[[Generator, int], Counter[str]]
    promises: tuple[Promise, ...]


class Followed(NamedTuple):
    """One comparison, of a metric whose `truth` is the planted uplift, or difference."""

    draw: Draw
    shop: Shop
    metric: Metric
    tau: float = tau_of(0.20)
    truth: float = 0.0
    read: Read = readings


def count_events(rng: Generator, experiments: int, followed: Followed) -> Counter[str]:
    counts: Counter[str] = Counter()
    for life in followed.draw(rng, followed.shop, experiments):
        looks = followed.read(followed.metric, followed.tau, life)
        counts.update(events(followed.metric, looks, followed.truth))
    return counts


def count_alarms(rng: Generator, experiments: int, seen_share: float) -> Counter[str]:
    """Of the sample ratio when 5 % of 100,000 were planned."""
    counts = np.cumsum(exposed(rng, Shop(100_000, control=seen_share), experiments), axis=1)
    total = counts.sum(axis=2)
    chi_square = (counts[..., 0] - 0.05 * total) ** 2 / (0.05 * 0.95 * total)
    ratios = (sequential([{"c": c, "t": t} for c, t in looks], {"c": 0.05, "t": 0.95}) for looks in counts.tolist())
    alarms = sum(ratio.is_broken for ratio in ratios)
    return Counter({"alarm": alarms, "ordinary": int((chi_square > CHI_SQUARE_5).any(axis=1).sum())})


CONVERSION = metric_of("conversion_rate_profile")
REVENUE = metric_of("revenue_per_profile")
MARGIN = metric_of("margin_per_profile")
ORDER_VALUE = metric_of("aov")
PER_SESSION = metric_of("revenue_per_session")
NPS = metric_of("nps")
TAU_NPS = 0.05

FALSE = at_most("conclusive", "a conclusive verdict, ever", 0.05)
HELD = at_least("held", "the interval holds the truth at every look", 0.95)
HELD_UNGATED = compared("held ungated", "it does, also before the gate is met")
WRONG = at_most("negative", "a conclusive verdict of the wrong sign, ever", 0.01)
ORDINARY = compared("ordinary", "the ordinary 95 % interval excludes 0, ever")
UNGATED = compared("ungated", "the live interval excludes 0, ever, without the gate")
HEALTHY = (FALSE, UNGATED, ORDINARY)
FOUND = compared("positive", "found")


def one(name: str, runs: int, followed: Followed, *promises: Promise) -> Scenario:
    return Scenario(name, runs, partial(count_events, followed=followed), promises)


def healthy_margin(profiles: int, tau: float, words: str) -> Scenario:
    name = f"margin, 5 % control, {profiles // 1000}k, tau {words}"
    return one(name, 1000, Followed(margin, Shop(profiles), MARGIN, tau), FALSE, UNGATED, ORDINARY)


NO_EFFECT = (
    one("conversion, 5 % control, 100k", 4000, Followed(conversion, Shop(100_000), CONVERSION), *HEALTHY),
    one("conversion, 5 % control, 20k", 2000, Followed(conversion, Shop(20_000), CONVERSION), *HEALTHY),
    one("conversion, 50/50, 100k", 4000, Followed(conversion, Shop(100_000, 0.5), CONVERSION), *HEALTHY),
    one("revenue, 5 % control, 100k", 4000, Followed(revenue, Shop(100_000), REVENUE), *HEALTHY),
    one("revenue, 5 % control, 400k", 4000, Followed(revenue, Shop(400_000), REVENUE), *HEALTHY),
    one("revenue per session, 5 % control, 100k", 2000, Followed(session_value, Shop(100_000), PER_SESSION), *HEALTHY),
    one("order value, 5 % control, 100k", 2000, Followed(order_value, Shop(100_000), ORDER_VALUE), *HEALTHY),
    one("order value, 5 % control, 400k", 4000, Followed(order_value, Shop(400_000), ORDER_VALUE), *HEALTHY),
    one("NPS, 5 % control, 100k, tau 5 points", 2000, Followed(responses, Shop(100_000), NPS, TAU_NPS), *HEALTHY),
    healthy_margin(100_000, 0.2 * MARGIN_PER_PROFILE, "20 % of the control"),
    healthy_margin(400_000, 0.2 * MARGIN_PER_PROFILE, "20 % of the control"),
    healthy_margin(400_000, MARGIN.smallest_difference or 0, "as in the registry, 50 cents"),
)

PLANTED = (
    one(
        "conversion +15 %, 50/50, 100k", 4000,
        Followed(conversion, Shop(100_000, 0.5, uplift=0.15), CONVERSION, truth=0.15),
        within("positive", "found", 0.882, 5), HELD, HELD_UNGATED, WRONG,
    ),
    one(
        "conversion +15 %, 5 % control, 400k", 4000,
        Followed(conversion, Shop(400_000, uplift=0.15), CONVERSION, truth=0.15),
        within("positive", "found", 0.742, 5), HELD, HELD_UNGATED, WRONG,
    ),
    one(
        "conversion -15 %, 5 % control, 400k", 4000,
        Followed(conversion, Shop(400_000, uplift=-0.15), CONVERSION, truth=-0.15),
        compared("negative", "found"), HELD, HELD_UNGATED, at_most("positive", WRONG.words, 0.01),
    ),
    one(
        "revenue +15 %, 5 % control, 400k", 4000,
        Followed(revenue, Shop(400_000, uplift=0.15), REVENUE, truth=0.15),
        FOUND, HELD, HELD_UNGATED, WRONG,
    ),
    one(
        "margin +50 %, 5 % control, 400k, tau 20 % of the control", 1000,
        Followed(
            margin, Shop(400_000, uplift=0.5), MARGIN, 0.2 * MARGIN_PER_PROFILE, truth=0.5 * MARGIN_PER_PROFILE
        ),
        FOUND, at_least("held", "the interval holds the truth before capping at every look", 0.95), WRONG,
    ),
)  # fmt: skip

SAMPLE_RATIO = (
    Scenario(
        "sample ratio, 5 % of 100k planned and drawn", 20_000, partial(count_alarms, seen_share=0.05),
        (at_most("alarm", "an alarm, ever", 0.02), compared("ordinary", "chi-square p below 0.05, ever")),
    ),
    Scenario(
        "sample ratio, 5 % of 100k planned, 5.3 % drawn", 4000, partial(count_alarms, seen_share=0.053),
        (at_least("alarm", "found", 0.90),),
    ),
)  # fmt: skip

ANY = (
    at_most("false", "e-BH claims a segment without an effect, ever", 0.05),
    compared("false alone", "a verdict on one, ever, each judged alone"),
)
SEGMENTS = (
    Scenario(
        "10 segments of 200k, none real", 1000,
        partial(count_discoveries, family=Family(Shop(200_000))), ANY,
    ),
    Scenario(
        "10 segments of 200k, 3 of them +25 %", 1000,
        partial(count_discoveries, family=Family(Shop(200_000), real=3)),
        (*ANY, compared("found", "a real one is claimed at the last look")),
    ),
)  # fmt: skip

WITH_PAST = partial(Followed, read=adjusted_readings)
ADJUSTED = (
    one(
        "CUPED, conversion, 5 % control, 100k", 2000,
        WITH_PAST(conversion_with_past, Shop(100_000), CONVERSION), *HEALTHY,
    ),
    one("CUPED, revenue, 5 % control, 100k", 2000, WITH_PAST(revenue_with_past, Shop(100_000), REVENUE), *HEALTHY),
    one(
        "CUPED, revenue +15 %, 5 % control, 400k", 2000,
        WITH_PAST(revenue_with_past, Shop(400_000, uplift=0.15), REVENUE, truth=0.15), FOUND, HELD, HELD_UNGATED, WRONG,
    ),
    one(
        "revenue as before, without CUPED", 2000,
        Followed(revenue_with_past, Shop(400_000, uplift=0.15), REVENUE, truth=0.15), FOUND, HELD, HELD_UNGATED, WRONG,
    ),
)  # fmt: skip

UNWEIGHTED = compared("plain conclusive", "a conclusive verdict, ever, without strata")
HELD_UNWEIGHTED = compared("plain held", "it does without strata")
TREATMENTS = {"a": 0.0, "b": 0.10, "c": 0.20}
STRATA = (
    Scenario(
        "post-stratified, drifting mix, no effect, 200k", 1500, partial(count_in_drift, shop=Shop(200_000)),
        (FALSE, UNWEIGHTED),
    ),
    Scenario(
        "post-stratified, drifting mix, +15 %, 200k", 1500, partial(count_in_drift, shop=Shop(200_000, uplift=0.15)),
        (HELD, HELD_UNWEIGHTED, FOUND, WRONG),
    ),
    Scenario(
        "bandit of 3, no effect, 200k", 600,
        partial(count_of_bandit, arms=Arms(200_000, dict.fromkeys(TREATMENTS, 0.0), "a")),
        (
            FALSE, UNWEIGHTED,
            at_most("policy conclusive", "control against all treated: a conclusive verdict, ever", 0.05),
        ),
    ),
    Scenario(
        "bandit, the treatment without an effect beside +10 % and +20 %", 600,
        partial(count_of_bandit, arms=Arms(200_000, TREATMENTS, "a")), (FALSE, UNWEIGHTED),
    ),
    Scenario(
        "bandit, the treatment with +20 % beside +10 % and none", 600,
        partial(count_of_bandit, arms=Arms(200_000, TREATMENTS, "c")),
        (HELD, HELD_UNWEIGHTED, FOUND, WRONG),
    ),
)  # fmt: skip

SCENARIOS = (*NO_EFFECT, *PLANTED, *SAMPLE_RATIO, *SEGMENTS, *ADJUSTED, *STRATA)
