"""What a rule may be about: ALERT_METRICS by name, how each is computed, what it may be told apart by.

Law: a rate or a percentile is a KPI with the KPI registry's formula; of alerts is only the window, whole minutes that
end now, and that it may be held against the same hours of other weeks.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from cockpit.alerts.rules import MetricInfo, RuleFile
from cockpit.kpis.formula import Ratio, Sum
from cockpit.kpis.kpi import Unit
from cockpit.kpis.registry import kpi_of

EVENTS_TOGETHER = 11.0  # those of a visit; measured in the simulated shop, docs/alerts.md
MIN_EXPECTED = 20  # fewer events are no ground to miss any: three in the morning calls nobody
UNKNOWN = "unknown"  # what senders left out, as a label
PAGES = frozenset(
    {"/", *(f"/{page}" for page in ("tactical", "operational", "experiments", "alerts", "governance", "definitions"))}
)
"""Where a rule may lead people to. The executive page, the first, answers at `/` only."""


class Read(StrEnum):
    """The named read that has the measures."""

    EVENTS = "alert_events"
    LATENCIES = "alert_latencies"
    INTAKE = "alert_intake"


class OfKpi(msgspec.Struct, frozen=True):
    """A KPI of the window. `per_minute`: the measure whose count per minute is the KPI's gauge."""

    kpi: str
    read: Read
    per_minute: str = ""

    @property
    def sample(self) -> Sum:
        """How many things to expect, of what the events tell: what the KPI rests on, or what comes close to it."""
        if self.read is Read.EVENTS and isinstance(formula := kpi_of(self.kpi).formula, Ratio):
            return formula.counted()
        return Sum(("delivered",) if self.read is Read.LATENCIES else ("events",))


class OfBaseline(msgspec.Struct, frozen=True):
    """A count of the window over what the same hours of the last weeks had. A silent thing is 0, not missing.

    `burst`: how many come together, as the variance of a count over its mean.
    """

    counted: Sum
    burst: float = 1.0


class OfConsents(msgspec.Struct, frozen=True):
    """Deliveries to people who had refused."""


class OfProcesses(msgspec.Struct, frozen=True):
    """Read off the warehouse's own surroundings now; `gauge` is its name there."""

    gauge: str


class Asked(StrEnum):
    """What of an experiment."""

    SAMPLE_RATIO = "sample_ratio"
    CONTAMINATION = "contamination"
    MIXED = "mixed"
    UPLIFT = "uplift"
    TARGET = "target"
    GUARDRAILS = "guardrails"


class OfExperiments(msgspec.Struct, frozen=True):
    asked: Asked


Of = OfKpi | OfBaseline | OfConsents | OfProcesses | OfExperiments


class AlertMetric(msgspec.Struct, frozen=True, kw_only=True):
    """`is_of_data`: of events, so it says nothing while none come in. `least_count`: no `min_count` is below it.

    Of unit CLASS is what has a limit, but no reading that people would understand.
    """

    of: Of
    labels: tuple[str, ...] = ()
    unit: Unit
    is_of_data: bool = True
    least_count: int = 0

    @property
    def info(self) -> MetricInfo:
        return MetricInfo(self.labels, self.is_of_data, self.unit)


OF_EVENTS = ("source", "channel", "segment", "use_case", "experience_id", "campaign", "integration")
OF_ATTEMPTS = (*OF_EVENTS, "experiment", "variant")
OF_LATENCIES = ("channel", "use_case")
OF_INTAKE = ("source",)
OF_VERSIONS = ("experiment", "use_case")
OF_COMPARISONS = (*OF_VERSIONS, "variant", "metric")
COLUMNS: Mapping[str, str] = {"campaign": "experience_id", "experiment": "experiment_id", "variant": "variant_id"}
"""The column of a label, where it is called otherwise."""


def _kpi(kpi: str, read: Read, labels: tuple[str, ...], per_minute: str = "") -> AlertMetric:
    """One thing at least has to be counted: nothing is no sample."""
    of = OfKpi(kpi, read, per_minute)
    return AlertMetric(of=of, labels=labels, unit=kpi_of(kpi).unit, least_count=0 if per_minute else 1)


def _of_attempts(kpi: str) -> AlertMetric:
    return _kpi(kpi, Read.EVENTS, OF_ATTEMPTS)


def _latency(kpi: str) -> AlertMetric:
    return _kpi(kpi, Read.LATENCIES, OF_LATENCIES)


def _intake(kpi: str) -> AlertMetric:
    return _kpi(kpi, Read.INTAKE, OF_INTAKE)


def _baseline(measure: str, labels: tuple[str, ...], burst: float = 1.0) -> AlertMetric:
    of = OfBaseline(Sum((measure,)), burst)
    return AlertMetric(of=of, labels=labels, unit=Unit.SHARE, least_count=MIN_EXPECTED)


def _process(gauge: str, unit: Unit, labels: tuple[str, ...] = ()) -> AlertMetric:
    return AlertMetric(of=OfProcesses(gauge), labels=labels, unit=unit, is_of_data=False)


def _experiment(asked: Asked, labels: tuple[str, ...], unit: Unit) -> AlertMetric:
    return AlertMetric(of=OfExperiments(asked), labels=labels, unit=unit)


ALERT_METRICS: Mapping[str, AlertMetric] = {
    "integration_error_rate": _of_attempts("integration_error_rate"),
    "personalization_error_rate": _of_attempts("personalization_error_rate"),
    "fallback_rate": _of_attempts("fallback_rate"),
    "suppression_rate": _of_attempts("suppression_rate"),
    "frequency_cap_rate": _of_attempts("frequency_cap_rate"),
    "consent_block_rate": _of_attempts("consent_block_rate"),
    "unsubscribe_rate": _kpi("unsubscribe_rate", Read.EVENTS, OF_EVENTS),
    "events_per_minute": _kpi("events_per_minute", Read.EVENTS, OF_EVENTS, "events"),
    "personalizations_per_minute": _kpi("personalizations_per_minute", Read.EVENTS, OF_ATTEMPTS, "delivered"),
    "event_to_action_p50_ms": _latency("event_to_action_ms_p50"),
    "event_to_action_p95_ms": _latency("event_to_action_ms"),
    "event_to_action_p99_ms": _latency("event_to_action_ms_p99"),
    "decide_p95_ms": _latency("decide_ms"),
    "report_p95_ms": _latency("report_ms"),
    "late_rate": _intake("late_rate"),
    "duplicate_rate": _intake("duplicate_rate"),
    "invalid_rate": _intake("invalid_rate"),
    "channel_events_of_baseline": _baseline("events", OF_EVENTS, EVENTS_TOGETHER),
    "personalizations_of_baseline": _baseline("delivered", OF_EVENTS),
    "consent_breaches": AlertMetric(of=OfConsents(), labels=("channel", "use_case"), unit=Unit.COUNT),
    "queue_lag_s": _process("queue_lag_s", Unit.SECONDS),
    "queue_rising_s": _process("queue_rising_s", Unit.SECONDS),
    "queue_events": _process("queue_events", Unit.COUNT),
    "freshness_s": _process("freshness_s", Unit.SECONDS),
    "heartbeat_age_s": _process("heartbeat_age_s", Unit.SECONDS, ("stage",)),
    "rule_failing_s": _process("rule_failing_s", Unit.SECONDS),
    "srm_p": _experiment(Asked.SAMPLE_RATIO, OF_VERSIONS, Unit.NUMBER),
    "control_contamination_rate": _experiment(Asked.CONTAMINATION, OF_VERSIONS, Unit.SHARE),
    "mixed_profile_rate": _experiment(Asked.MIXED, OF_VERSIONS, Unit.SHARE),
    "uplift_negative_log_e": _experiment(Asked.UPLIFT, OF_COMPARISONS, Unit.CLASS),
    "experiment_below_target": _experiment(Asked.TARGET, OF_COMPARISONS, Unit.CLASS),
    "guardrail_harm": _experiment(Asked.GUARDRAILS, OF_COMPARISONS, Unit.CLASS),
}


def infos() -> Mapping[str, MetricInfo]:
    """What a rule file is held against."""
    return {name: metric.info for name, metric in ALERT_METRICS.items()}


def fitted(file: RuleFile) -> RuleFile:
    """The file with every `min_count` at least what its metric needs."""
    rules = (
        msgspec.structs.replace(rule, min_count=max(rule.min_count, ALERT_METRICS[rule.metric].least_count))
        for rule in file.rules
    )
    return msgspec.structs.replace(file, rules=tuple(rules))


def columns_of(labels: Iterable[str]) -> dict[str, str]:
    return {label: COLUMNS.get(label, label) for label in labels}
