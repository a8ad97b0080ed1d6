"""One version under judgement: what every part of its report asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import msgspec

from cockpit.experiments.comparison import Comparison
from cockpit.experiments.exposure import Exposure, exposure_of
from cockpit.experiments.metrics import Kind
from cockpit.experiments.moments import Moments
from cockpit.experiments.observed import Groups, Observed, Totals, added, everybody
from cockpit.experiments.registration import Registration
from cockpit.experiments.sample_ratio import Counts, SampleRatio, sequential
from cockpit.experiments.strata import Stratum
from cockpit.experiments.verdict import Evidence, Judged, converting, judge

SERVED = "*"  # all treatments as one: what a bandit served, or all personalization
OF_ALL = "conversion_rate_profile"  # a metric that every exposed profile is in at once


@dataclass(frozen=True)
class Case:
    """`arms`: the treatments that are judged, with the variants of each."""

    observed: Observed
    exposure: Exposure
    totals: Totals
    arms: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, observed: Observed) -> Self:
        return cls(observed, exposure_of(observed), everybody(observed.segments), arms_of(observed))

    @property
    def plan(self) -> Registration:
        return self.observed.standing.plan

    def sides(self, metric: str, arm: str) -> Stratum:
        """Control and treatment; nothing observed is no profiles."""
        return sides(self.totals, metric, self.observed.control, self.arms[arm])

    def strata(self, groups: Groups, metric: str, arm: str) -> Mapping[str, Stratum]:
        return {name: sides(totals, metric, self.observed.control, self.arms[arm]) for name, totals in groups.items()}

    @cached_property
    def drifting(self) -> Groups:
        """The segments, if their mix differs between the variants by more than chance though the whole does not."""
        segments, whole = self.observed.segments, self.exposure.sample_ratio
        if whole is None or whole.is_broken or len(segments) < 2:
            return {}
        ratios = [self.ratio_within(segments, name) for name in segments]
        return segments if any(ratio and ratio.is_broken for ratio in ratios) else {}

    def ratio_within(self, groups: Groups, name: str) -> SampleRatio | None:
        """The sample ratio of one group, for one look, with Bonferroni's correction. None without a registration."""
        ratio = self._ratio_of({variant: m.n for (variant, metric), m in groups[name].items() if metric == OF_ALL})
        return msgspec.structs.replace(ratio, p=min(1.0, ratio.p * len(groups))) if ratio else None

    def judge(self, comparison: Comparison, ratio: SampleRatio | None) -> Judged:
        metric = comparison.metric
        evidence = Evidence(
            interval=comparison.interval,
            converting_treatment=converting(metric, comparison.treated.moments),
            converting_control=converting(metric, comparison.control.moments),
            days_running=int(self.observed.days),
            minimum_days=self.plan.minimum_days,
            sample_ratio=ratio,
            response_ratio=self._response_ratio() if metric.kind is Kind.SIGNED_RATIO else None,
        )
        return judge(metric, evidence)

    def _response_ratio(self) -> SampleRatio | None:
        """Whether those who answered are shared out as everybody was to be."""
        return self._ratio_of({name: self.totals.get((name, "nps"), Moments()).z for name in self.observed.variants})

    def _ratio_of(self, counts: Counts) -> SampleRatio | None:
        """Against the planned shares; where these changed, control against the others, whose share never does."""
        plans, control = self.observed.plans, self.observed.control
        if len(plans) < 2:
            return sequential([counts], plans[0]) if plans else None
        share, held = plans[0][control], counts.get(control, 0)
        return sequential([{control: held, SERVED: sum(counts.values()) - held}], {control: share, SERVED: 1 - share})


def arms_of(observed: Observed) -> Mapping[str, tuple[str, ...]]:
    """A bandit and a program are judged as a whole, every other treatment alone."""
    is_whole = observed.standing.plan.allocation == "thompson" or observed.standing.is_program
    if is_whole and len(observed.treatments) > 1:
        return {SERVED: observed.treatments}
    return {name: (name,) for name in observed.treatments}


def sides(totals: Totals, metric: str, control: str, variants: Sequence[str]) -> Stratum:
    treated = added(totals.get((name, metric), Moments()) for name in variants)
    return totals.get((control, metric), Moments()), treated
