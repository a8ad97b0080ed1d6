"""Where it works: a metric's segments as one family, and which segment's weight drifts between the variants.

Law: a segment that fails a gate, or is too small to show, still counts as one of those looked at.
Sources: statistics.md sections 12 and 13.
"""

from collections.abc import Mapping

import msgspec

from cockpit.experiments.case import Case, sides
from cockpit.experiments.comparison import Comparison, compared
from cockpit.experiments.metrics import Kind, Metric, metric_of
from cockpit.experiments.observed import Groups
from cockpit.experiments.segments import NO_EVIDENCE, Heterogeneity, discoveries, heterogeneity
from cockpit.experiments.strata import Stratum
from cockpit.experiments.verdict import Gate

FEWEST_PROFILES = 20  # in both variants together; below, a segment might tell of a person
FEWEST_RESPONSES = 30


class Drift(msgspec.Struct, frozen=True):
    """The segment whose share of the profiles differs most."""

    name: str
    control_share: float
    treatment_share: float


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """`is_found`: among the discoveries of its family. `reasons`: the gates it fails; it has no evidence then."""

    name: str
    treatment: str
    comparison: Comparison
    reasons: tuple[Gate, ...]
    is_found: bool = False

    @property
    def log_e(self) -> float:
        interval = self.comparison.interval
        return NO_EVIDENCE if self.reasons or interval is None else interval.log_e

    @property
    def is_shown(self) -> bool:
        both = self.comparison.control.moments + self.comparison.treated.moments
        answers = self.comparison.metric.kind is not Kind.SIGNED_RATIO or both.z >= FEWEST_RESPONSES
        return both.n >= FEWEST_PROFILES and answers


class Breakdown(msgspec.Struct, frozen=True, kw_only=True):
    """One family: a metric's segments, of all treatments. `hidden` are too small to show.

    `heterogeneity`, by treatment, is for one look: exploratory.
    """

    metric: Metric
    segments: tuple[Segment, ...]
    family: int
    hidden: int
    heterogeneity: Mapping[str, Heterogeneity]


def breakdowns(case: Case, groups: Groups) -> tuple[Breakdown, ...]:
    """Of each registered metric. One group alone tells nothing apart."""
    return tuple(_breakdown(case, groups, metric_of(name)) for name in case.plan.metrics) if len(groups) > 1 else ()


def drift(strata: Mapping[str, Stratum]) -> Drift:
    """Of two segments or more, with profiles on both sides."""
    controls = sum(control.n for control, _ in strata.values())
    treated = sum(treatment.n for _, treatment in strata.values())
    drifts = [Drift(name, c.n / controls, t.n / treated) for name, (c, t) in strata.items()]
    return max(drifts, key=lambda one: abs(one.control_share - one.treatment_share))


def _breakdown(case: Case, groups: Groups, metric: Metric) -> Breakdown:
    every = [_segment(case, groups, metric, name, arm) for arm in case.arms for name in groups]
    found = discoveries({_key(one): one.log_e for one in every})
    shown = [msgspec.structs.replace(one, is_found=_key(one) in found) for one in every if one.is_shown]
    intervals = {
        arm: [one.comparison.interval for one in shown if one.treatment == arm and one.comparison.interval]
        for arm in case.arms
    }
    return Breakdown(
        metric=metric,
        segments=tuple(shown),
        family=len(every),
        hidden=len(every) - len(shown),
        heterogeneity={arm: apart for arm, each in intervals.items() if (apart := heterogeneity(each))},
    )


def _segment(case: Case, groups: Groups, metric: Metric, name: str, arm: str) -> Segment:
    stratum = sides(groups[name], metric.id, case.observed.control, case.arms[arm])
    comparison = compared(metric, stratum, case.plan)
    whole = case.exposure.sample_ratio
    ratio = whole if whole is None or whole.is_broken else case.ratio_within(groups, name)
    reasons = case.judge(comparison, ratio).reasons
    return Segment(name=name, treatment=arm, comparison=comparison, reasons=reasons)


def _key(segment: Segment) -> str:
    return f"{segment.treatment}\0{segment.name}"
