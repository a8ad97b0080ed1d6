"""What a message says, before it has words: it is stored with the outbox and put into words when it is sent.

Law: of an alert's labels and context only what LABELS and FORMS list gets here.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from cockpit.alerts.conditions import Condition
from cockpit.alerts.machine import Alert, Context, Kind, Reason, State
from cockpit.alerts.rules import LABELS, Labels, Rule, Severity
from cockpit.kpis.kpi import Unit

STEADY = 0.05  # a change by less is none


class Form(StrEnum):
    """How a value of the context is written. Instants are seconds since 1970."""

    TEXT = "text"
    COUNT = "count"
    NUMBER = "number"
    MONEY = "money"  # cents
    SHARE = "share"
    CHANGE = "change"  # a share with its sign
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    INSTANT = "instant"
    DAY = "day"


FORMS: Mapping[str, Form] = {
    "lost": Form.COUNT,
    "lost_cents": Form.MONEY,
    "top_codes": Form.TEXT,
    "ingest_ms": Form.MILLISECONDS,
    "decide_ms": Form.MILLISECONDS,
    "send_ms": Form.MILLISECONDS,
    "arrival_per_s": Form.NUMBER,
    "drain_per_s": Form.NUMBER,
    "eta_s": Form.SECONDS,
    "observed": Form.NUMBER,
    "expected": Form.NUMBER,
    "last_event_at": Form.INSTANT,
    "use_cases": Form.TEXT,
    "fallback_rate": Form.SHARE,
    "model_version": Form.TEXT,
    "effect": Form.CHANGE,
    "low": Form.CHANGE,
    "high": Form.CHANGE,
    "target": Form.CHANGE,
    "n": Form.COUNT,
    "days": Form.COUNT,
    "at_risk_cents": Form.MONEY,
    "guardrail": Form.TEXT,
    "counts": Form.TEXT,
    "split": Form.TEXT,
    "first_day": Form.DAY,
    "contaminated": Form.COUNT,
    "holdout": Form.COUNT,
    "action": Form.TEXT,
    "failing_rule": Form.TEXT,
    "change": Form.TEXT,
    "change_act": Form.TEXT,
    "change_at": Form.INSTANT,
}
"""All that a reading may hand on to a message beside its value. Free text is bounded and scrubbed when it is said."""


class Trend(StrEnum):
    WORSE = "worse"
    BETTER = "better"
    STEADY = "steady"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One alert in a message. `began_at`: when what is wrong began; `lasted_s`: until the last evaluation."""

    rule_id: str
    name: dict[str, str]
    metric: str
    unit: Unit
    labels: Labels
    state: State
    reason: Reason
    severity: Severity
    limit: Condition
    value: float | None
    value_at: datetime | None
    count: int | None
    peak: float | None
    trend: Trend | None
    began_at: datetime | None
    lasted_s: float
    is_about_data: bool
    is_flapping: bool
    acked_by: str
    context: Context


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """`items`: the worst ones first; `total`: how many there are."""

    kind: Kind
    at: datetime
    items: tuple[Item, ...]
    total: int
    owner: str = ""
    runbook: str = ""
    page: str = ""


def item_of(rule: Rule, alert: Alert) -> Item:
    began, until = alert.active_at, alert.last_eval
    return Item(
        rule_id=rule.id,
        name=rule.name,
        metric=rule.metric,
        unit=rule.unit,
        labels={name: alert.labels[name] for name in LABELS if name in alert.labels and name not in rule.where},
        state=alert.state,
        reason=alert.reason,
        severity=alert.severity,
        limit=rule.limit_of(alert.severity),
        value=alert.value,
        value_at=alert.value_at,
        count=alert.count,
        peak=alert.peak,
        trend=_trend(rule, alert),
        began_at=began,
        lasted_s=(until - began).total_seconds() if began is not None and until is not None else 0.0,
        is_about_data=not alert.is_breached and alert.came_from is not None,
        is_flapping=alert.is_flapping,
        acked_by=alert.acked_by,
        context={name: alert.context[name] for name in FORMS if name in alert.context},
    )


def worst_first(item: Item) -> tuple[int, float]:
    """A sort key."""
    value = item.value if item.value is not None else item.limit.limit
    return -item.severity.rank, -value if item.limit.is_upward else value


def _trend(rule: Rule, alert: Alert) -> Trend | None:
    """Since the last message; at the first one since it began."""
    before = alert.page.told_value if alert.page.told_to else alert.first_value
    if alert.value is None or before is None:
        return None
    change = alert.value - before
    if abs(change) <= STEADY * abs(before):
        return Trend.STEADY
    return Trend.WORSE if (change > 0) == rule.fire.is_upward else Trend.BETTER
