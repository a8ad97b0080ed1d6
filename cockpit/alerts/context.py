"""What a message says beside a value that is beyond its limit: how much is lost, by which causes, since when.

Law: what cannot be computed honestly is left out. The names are those of `cockpit.alerts.facts.FORMS`.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

import polars as pl

from cockpit.alerts.machine import Context
from cockpit.alerts.metrics import UNKNOWN, OfBaseline, OfKpi, Read, columns_of
from cockpit.alerts.world import HOUR, Look, Sample, Span, Split, Table, Values, World
from cockpit.clock import business_day
from cockpit.errors import MachineError
from cockpit.kpis.formula import Sum

TOP = 3
DAY = timedelta(days=1)
FAILED = Sum(("failed",))
FALLBACK_RATE = OfKpi("fallback_rate", Read.EVENTS)
STAGES = {"ingest_ms": "ingest_delay_ms", "decide_ms": "decide_ms", "send_ms": "report_ms"}  # p95 of each
MODELS_BY = ("channel", "use_case", "experience_id", "integration")
WORTH_DAYS = 35  # of messages, for what one is worth
WORTH_BY = ("channel", "segment", "use_case", "experience_id")  # what the measures of messages are told apart by


def of_kpi(of: OfKpi, look: Look, values: Values, sample: Sample) -> Context:
    """By the KPI that is beyond its limit."""
    explain = KPIS.get(of.kpi)
    if explain is not None:
        return explain(look, values, sample)
    return _stages(look, values) if of.read is Read.LATENCIES else {}


def of_baseline(of: OfBaseline, look: Look, values: Values, sample: Sample) -> Context:
    """`sample` is a share of the number that was expected."""
    expected = sample.n or 0
    said: Context = {"observed": round((sample.value or 0.0) * expected), "expected": expected}
    return said | _last_event(look, values) | _use_cases(of, look, values) | _fallback(look, values)


def _failures(look: Look, values: Values, sample: Sample) -> Context:
    lost = round((sample.value or 0.0) * (sample.n or 0))
    codes = _tops(look, "error_code", lambda split: look.world.counts(FAILED, look.span, split)).get(values, [])
    said: Context = {"lost": lost}
    if codes:
        said["top_codes"] = ", ".join(f"{code} ({number:.0f})" for code, number in codes[:TOP])
    return said | _worth(look, values, lost)


def _worth(look: Look, values: Values, lost: int) -> Context:
    """What such messages were followed by: orders after a click on them, at the mean value of an order.

    Nothing of what is told apart by more than messages are, and where too few were sent to say.
    """
    world, known = look.world, look.labels_of(values)
    if not known or not set(known) <= set(WORTH_BY):
        return {}
    by, today = tuple(sorted(known)), business_day(world.now, world.zone)
    worths = world.once(("worth", today, by), lambda: _worths(world, by, today))
    worth = worths.get(tuple(known[label] for label in by))
    return {} if worth is None else {"lost_cents": round(lost * worth)}


def _worths(world: World, by: Values, today: date) -> Mapping[Values, float]:
    """Cents that follow one delivered message. If it takes too long it is unknown today, and not asked every round."""
    window = {"first": today - WORTH_DAYS * DAY, "last": today}
    try:
        orders = world.ask("kpis", ids=["aov"], **window)["aov"].drop_nulls()
        rates = world.ask("kpis", ids=["message_conversion_rate"], by=list(by), **window)
    except MachineError:
        return {}
    sure = rates.filter(~pl.col("message_conversion_rate_is_small")).select(*by, "message_conversion_rate").drop_nulls()
    return {tuple(values): rate * orders.item() for *values, rate in sure.iter_rows()} if orders.len() else {}


def _stages(look: Look, values: Values) -> Context:
    found = {
        name: look.among(look.world.samples(OfKpi(kpi, Read.LATENCIES), look.span, look.split)).get(values)
        for name, kpi in STAGES.items()
    }
    return {name: sample.value for name, sample in found.items() if sample is not None and sample.value is not None}


def _model(look: Look, values: Values, _: Sample) -> Context:
    """The version behind most of what fell back."""
    known = look.labels_of(values)
    if not set(columns_of(known).values()) <= set(MODELS_BY):
        return {}
    by = tuple(sorted(known))
    models = look.world.of_window(look.span, ("models", by), lambda: _models(look, by))
    model = models.get(tuple(known[label] for label in by))
    return {} if model is None else {"model_version": model}


def _models(look: Look, by: Values) -> Mapping[Values, str]:
    found = look.world.ask("alert_models", start=look.span.start, end=look.span.end).drop_nulls("model_version")
    named = found.with_columns(
        pl.col(column).fill_null(UNKNOWN).alias(label) for label, column in columns_of(by).items()
    )
    sums = named.group_by(*by, "model_version").agg(pl.col("events").sum()).sort("events", "model_version")
    return {tuple(values): model for *values, model, _ in sums.select(*by, "model_version", "events").iter_rows()}


def _last_event(look: Look, values: Values) -> Context:
    """The minute of the last one within a day; hours that are over are looked at once."""
    hour = look.span.end.replace(minute=0)
    for span in (Span(hour, look.span.end), Span(hour - 24 * HOUR, hour)):
        last = look.among(look.world.latest(span, look.split)).get(values) if span.minutes else None
        if last is not None and last.value is not None:
            return {"last_event_at": last.value}
    return {}


def _use_cases(of: OfBaseline, look: Look, values: Values) -> Context:
    """Those that most of what was expected belongs to."""
    if "use_case" in look.split.labels:
        return {}
    found = _tops(look, "use_case", lambda split: look.world.expected(of.counted, look.span, split) or {})
    names = [name for name, _ in found.get(values, []) if name != UNKNOWN]
    return {"use_cases": ", ".join(names[:TOP])} if names else {}


def _fallback(look: Look, values: Values) -> Context:
    found = look.among(look.world.samples(FALLBACK_RATE, look.span, look.split)).get(values)
    return {} if found is None or found.value is None else {"fallback_rate": found.value}


def _tops(look: Look, label: str, table: Callable[[Split], Table]) -> Mapping[Values, list[tuple[str, float]]]:
    """Of each thing, the values of one more label by how much there is of them."""
    split = Split((*look.split.by, label), look.split.where)
    key = ("tops", look.rule.metric, split, look.where)
    return look.world.of_window(look.span, key, lambda: _ranked(look.among(table(split))))


def _ranked(samples: Mapping[Values, Sample]) -> Mapping[Values, list[tuple[str, float]]]:
    ranked: dict[Values, list[tuple[str, float]]] = {}
    for (*values, name), sample in sorted(samples.items(), key=lambda item: (-(item[1].value or 0.0), item[0])):
        if sample.value:
            ranked.setdefault(tuple(values), []).append((name, sample.value))
    return ranked


KPIS: Mapping[str, Callable[[Look, Values, Sample], Context]] = {
    "integration_error_rate": _failures,
    "personalization_error_rate": _failures,
    "fallback_rate": _model,
}
