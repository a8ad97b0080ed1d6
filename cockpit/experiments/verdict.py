"""When a verdict word may be said, and which. Everything about gates and words is in this file.

Order: not trustworthy, then insufficient, then the interval. Source: statistics.md section 15. The interval is that
since the start of the version; a period or a rolling window has no verdict.
"""

from enum import StrEnum

import msgspec

from cockpit.experiments.interval import Interval
from cockpit.experiments.metrics import Kind, Metric
from cockpit.experiments.moments import Moments
from cockpit.experiments.sample_ratio import SampleRatio

CONVERTING = 25  # profiles with a total that is not 0, in each variant
CONVERTING_SIGNED = 100  # also of order values, whose only sample is skewed amounts (docs/statistics.md)


class Verdict(StrEnum):
    CONCLUSIVE_POSITIVE = "conclusive_positive"
    CONCLUSIVE_NEGATIVE = "conclusive_negative"
    INCONCLUSIVE = "inconclusive"
    INSUFFICIENT = "insufficient"
    NOT_TRUSTWORTHY = "not_trustworthy"


class Gate(StrEnum):
    """What is not met; the first two make a comparison not trustworthy, the others insufficient."""

    SAMPLE_RATIO = "sample_ratio"
    RESPONSE_RATIO = "response_ratio"  # those who answered are not shared out as those who were exposed
    UNREGISTERED = "unregistered"  # no planned shares, nothing to hold the counts against
    DATA = "data"
    CONVERSIONS = "conversions"
    DURATION = "duration"


class GuardrailState(StrEnum):
    HARM = "harm"  # the whole interval is beyond the limit
    SAFE = "safe"  # the whole interval is within it
    OPEN = "open"


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a verdict rests on, of one metric of one treatment against control.

    `interval` is None for NotEnoughData, `sample_ratio` for a version that nobody registered, `response_ratio` for
    all metrics but NPS. The converting are counted by `converting`.
    """

    interval: Interval | None
    converting_treatment: int
    converting_control: int
    days_running: int
    minimum_days: int
    sample_ratio: SampleRatio | None
    response_ratio: SampleRatio | None = None


class Judged(msgspec.Struct, frozen=True):
    """`reasons`: every gate that is not met, the gravest first."""

    verdict: Verdict
    reasons: tuple[Gate, ...] = ()


def converting(metric: Metric, moments: Moments) -> int:
    """What the gate counts: profiles with a total that is not 0; for NPS the responses."""
    return moments.z if metric.kind is Kind.SIGNED_RATIO else moments.nonzero


def converting_needed(metric: Metric) -> int:
    """In each variant."""
    return CONVERTING_SIGNED if metric.is_signed or metric.per == ("orders",) else CONVERTING


def judge(metric: Metric, evidence: Evidence) -> Judged:
    """The verdict on a metric, with every reason against a better one."""
    reasons = _unmet(metric, evidence)
    if Gate.SAMPLE_RATIO in reasons or Gate.RESPONSE_RATIO in reasons:
        return Judged(Verdict.NOT_TRUSTWORTHY, reasons)
    if reasons or evidence.interval is None:
        return Judged(Verdict.INSUFFICIENT, reasons)
    return Judged(_word(evidence.interval, lower_is_better=metric.lower_is_better))


def guardrail(interval: Interval, limit: float, *, lower_is_better: bool) -> GuardrailState:
    """Harm or safety is claimed only by the whole interval. The limit is on the interval's scale."""
    if lower_is_better:
        is_harm, is_safe = interval.low > limit, interval.high < limit
    else:
        is_harm, is_safe = interval.high < limit, interval.low > limit
    return GuardrailState.HARM if is_harm else GuardrailState.SAFE if is_safe else GuardrailState.OPEN


def below_target(interval: Interval, target: float, *, lower_is_better: bool) -> bool:
    """The whole interval lies on the bad side of the target."""
    return interval.low > target if lower_is_better else interval.high < target


def _unmet(metric: Metric, evidence: Evidence) -> tuple[Gate, ...]:
    ratio, answers = evidence.sample_ratio, evidence.response_ratio
    fewest = min(evidence.converting_treatment, evidence.converting_control)
    unmet = {
        Gate.SAMPLE_RATIO: ratio is not None and ratio.is_broken,
        Gate.RESPONSE_RATIO: answers is not None and answers.is_broken,
        Gate.UNREGISTERED: ratio is None,
        Gate.DATA: evidence.interval is None,
        Gate.CONVERSIONS: fewest < converting_needed(metric),
        Gate.DURATION: evidence.days_running < evidence.minimum_days,
    }
    return tuple(gate for gate, is_unmet in unmet.items() if is_unmet)


def _word(interval: Interval, *, lower_is_better: bool) -> Verdict:
    if not interval.excludes_zero:
        return Verdict.INCONCLUSIVE
    is_good = (interval.estimate < 0) == lower_is_better
    return Verdict.CONCLUSIVE_POSITIVE if is_good else Verdict.CONCLUSIVE_NEGATIVE
