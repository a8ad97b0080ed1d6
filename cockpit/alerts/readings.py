"""What a rule's metric is now: a reading for each label set, of what is there and of what should be.

Laws: a thing that is expected and silent has a reading; one of which nobody expects enough has none. What a message
says beside the value is looked for only while the value is beyond a limit, and no reading fails for it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from cockpit.alerts import context
from cockpit.alerts.chance import is_sure, of_count, of_share
from cockpit.alerts.expected import unread
from cockpit.alerts.machine import Alert, Context, Reading, State
from cockpit.alerts.metrics import (
    ALERT_METRICS,
    MIN_EXPECTED,
    UNKNOWN,
    Of,
    OfBaseline,
    OfExperiments,
    OfKpi,
    OfProcesses,
)
from cockpit.alerts.nearby import nearby
from cockpit.alerts.rules import Labels, OnMissing, Rule
from cockpit.alerts.trials import trials
from cockpit.alerts.world import Look, Sample, Samples, Values, World
from cockpit.errors import MachineError

MOST = 500  # label sets of one rule: what senders make up beyond is left out
FEW, NOTHING, ZERO = Sample(None, 0), Sample(None), Sample(0.0)

Readings = Mapping[Values, Reading]  # by the values of the rule's labels, in the order of its `by`


class Found(NamedTuple):
    """`absent`: what to make of a thing that is awaited and has no sample."""

    samples: Samples
    absent: Callable[[Values], Sample]
    explain: Callable[[Values, Sample], Context]


def readings(rule: Rule, at: datetime, world: World, alerts: Sequence[Alert] = ()) -> Readings:
    """At `at`, event time; `alerts`: those of the rule. MachineError: the rule's query failed."""
    look = Look.of(rule, at, world)
    found = _found(ALERT_METRICS[rule.metric].of, look)
    samples = _largest(found.samples)
    if not _awaited(rule, alerts) <= samples.keys():
        for labels in unread(rule, alerts, [dict(zip(rule.by, values, strict=True)) for values in samples]):
            values = _values(rule, labels)
            samples[values] = found.absent(values)
    began = {_values(rule, alert.labels): alert.active_at for alert in alerts if alert.state is not State.OK}
    return {
        values: _reading(look, found, values, sample, began.get(values) or at) for values, sample in samples.items()
    }


def _awaited(rule: Rule, alerts: Sequence[Alert]) -> set[Values]:
    """As `unread` has it; but it is quicker to see that nothing is missing."""
    known = [alert.labels for alert in alerts if alert.state is not State.OK]
    return {_values(rule, labels) for labels in (*rule.expected, *known)}


def _values(rule: Rule, labels: Labels) -> Values:
    return tuple(labels[label] for label in rule.by)


def _reading(look: Look, found: Found, values: Values, sample: Sample, began_at: datetime) -> Reading:
    value, n, rule = sample.value, sample.n, look.rule
    if value is None or (n is not None and n < rule.min_count) or not _is_beyond(rule, value):
        return Reading(at=look.at, value=value, count=n)
    if rule.beyond_chance and n is not None and _is_chance(rule, value, n):
        return Reading(at=look.at, value=value, count=n, is_chance=True)
    context = _said(found, values, sample) | nearby(look.world.markers, began_at) if look.world.explains else {}
    return Reading(at=look.at, value=value, count=n, context=context)


def _is_beyond(rule: Rule, value: float) -> bool:
    return rule.fire.holds(value) or (rule.warn is not None and rule.warn.holds(value))


def _is_chance(rule: Rule, value: float, n: int) -> bool:
    """Whether chance alone may have put it beyond the mildest limit. How far beyond decides how bad it is."""
    of, limit = ALERT_METRICS[rule.metric].of, (rule.warn or rule.fire).limit
    distance = of_count(value, limit) / of.burst if isinstance(of, OfBaseline) else of_share(value, limit)
    return not is_sure(distance, n)


def _said(found: Found, values: Values, sample: Sample) -> Context:
    try:
        return found.explain(values, sample)
    except MachineError:
        return {}


def _largest(samples: Samples) -> dict[Values, Sample]:
    if len(samples) <= MOST:
        return dict(samples)
    return dict(sorted(samples.items(), key=lambda item: (-(item[1].n or 0), item[0]))[:MOST])


def _found(of: Of, look: Look) -> Found:
    match of:
        case OfKpi():
            return _of_kpi(of, look)
        case OfBaseline():
            return _of_baseline(of, look)
        case OfProcesses():
            return _of_processes(of, look)
        case OfExperiments():
            return _of_experiments(of, look)
        case _:
            return _of_consents(look)


def _of_kpi(of: OfKpi, look: Look) -> Found:
    samples = look.among(look.world.samples(of, look.span, look.split))

    def absent(values: Values) -> Sample:
        if of.per_minute:
            return ZERO
        return NOTHING if look.rule.nodata is not OnMissing.ALERT or _is_missed(of, look, values) else FEW

    return Found(samples, absent, lambda values, sample: context.of_kpi(of, look, values, sample))


def _is_missed(of: OfKpi, look: Look, values: Values) -> bool:
    """Whether anybody would expect something here; without a history everybody does."""
    usual = look.world.expected(of.sample, look.span, look.split)
    if usual is None:
        return True
    expected = look.among(usual).get(values, ZERO)
    return (expected.value or 0.0) >= MIN_EXPECTED


def _of_baseline(of: OfBaseline, look: Look) -> Found:
    usual = look.world.expected(of.counted, look.span, look.split) or {}
    counts = look.among(look.world.counts(of.counted, look.span, look.split))
    samples = {
        values: Sample((counts.get(values, ZERO).value or 0.0) / expected.value, math.floor(expected.value))
        for values, expected in look.among(usual).items()
        if expected.value is not None and expected.value >= MIN_EXPECTED
    }
    return Found(samples, lambda _: FEW, lambda values, sample: context.of_baseline(of, look, values, sample))


def _of_consents(look: Look) -> Found:
    """To the instant, not by the minute: nobody waits with this."""
    rows = look.world.fresh("alert_consents", start=look.at - look.rule.window, end=look.at)
    sums: dict[Values, float] = {}
    for row in rows.iter_rows(named=True):
        values = _chosen(look.rule, {"channel": row["channel"] or UNKNOWN, "use_case": row["use_case"] or UNKNOWN})
        if values is not None:
            sums[values] = sums.get(values, 0.0) + row["breaches"]
    samples = {values: Sample(breaches) for values, breaches in sums.items()}
    return Found(samples, lambda _: ZERO, lambda _values, _sample: {"action": "personalization_delivered"})


def _of_processes(of: OfProcesses, look: Look) -> Found:
    gauges = look.world.gauges.get(of.gauge, {})
    names = ALERT_METRICS[look.rule.metric].labels
    chosen = {
        values: gauge
        for known, gauge in gauges.items()
        if (values := _chosen(look.rule, dict(zip(names, known, strict=True)))) is not None
    }
    samples = {values: Sample(gauge.value) for values, gauge in chosen.items()}
    return Found(samples, lambda _: NOTHING, lambda values, _: dict(chosen[values].context))


def _of_experiments(of: OfExperiments, look: Look) -> Found:
    """The worst, where the rule tells less apart than there is."""
    rule = look.rule
    names_metric = "metric" in look.split.labels
    worst: dict[Values, tuple[Sample, Callable[[], Context]]] = {}
    for trial in trials(of.asked, look.world, names_metric=names_metric):
        values = _chosen(rule, trial.labels)
        if values is None:
            continue
        before = worst[values][0].value if values in worst else None
        if before is None or (trial.value is not None and rule.fire.worse(before, trial.value) != before):
            worst[values] = Sample(trial.value, trial.n), trial.explain
    samples = {values: sample for values, (sample, _) in worst.items()}
    return Found(samples, lambda _: NOTHING, lambda values, _: worst[values][1]())


def _chosen(rule: Rule, labels: Labels) -> Values | None:
    """By which values the rule knows a thing; None: it is about others."""
    if any(labels.get(label) != value for label, value in rule.where.items()):
        return None
    return _values(rule, labels)
