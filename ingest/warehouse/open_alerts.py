"""The alerts that go on, as the live feed shows them: counted, and the worst by name in both languages.

Law: it follows from what was kept alone, so a restart shows what it had shown.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime

from cockpit.alerts.facts import item_of
from cockpit.alerts.machine import BLIND, Alert, State
from cockpit.alerts.messages import named
from cockpit.alerts.rules import Rule, RuleFile, Severity
from cockpit.clock import to_us
from cockpit.i18n.translate import LANGUAGES, translate
from cockpit.kpis import live
from ingest.warehouse.alert_store import AlertStore, Changes

SHOWN = 5
STATES = (State.FIRING, *BLIND, State.RECOVERING)
NO_DATA = "no_data"


class OpenAlerts:
    """`committed` hears of what was kept, one at a time; `publish` of what that makes."""

    def __init__(self, store: AlertStore, publish: Callable[[live.Alerts], None]) -> None:
        self._publish = publish
        self._file = store.rule_file() or RuleFile()
        self._evaluated_at = store.heartbeat().evaluated_at
        self._open = {key: alert for key, alert in store.alerts().items() if alert.is_open}

    def committed(self, changes: Changes) -> None:
        for alert in changes.alerts:
            self._open.pop(alert.fingerprint, None)
            if alert.is_open:
                self._open[alert.fingerprint] = alert
        self._file = changes.file or self._file
        self._evaluated_at = changes.evaluated_at or self._evaluated_at
        self._publish(shown(self._file, self._open.values(), self._evaluated_at, changes.at))


def shown(file: RuleFile, alerts: Iterable[Alert], evaluated_at: datetime | None, now: datetime) -> live.Alerts:
    """Of open alerts."""
    known = sorted((alert for alert in alerts if alert.rule_id in file.by_id), key=_worst_first)
    counts = Counter(NO_DATA if alert.state in BLIND else alert.severity.value for alert in known)
    return live.Alerts(
        evaluated_at=_ms(evaluated_at),
        critical=counts[Severity.CRITICAL],
        warning=counts[Severity.WARN],
        no_data=counts[NO_DATA],
        worst=[_shown(file.by_id[alert.rule_id], alert, now) for alert in known[:SHOWN]],
    )


def _shown(rule: Rule, alert: Alert, now: datetime) -> live.OpenAlert:
    return live.OpenAlert(
        fingerprint=alert.fingerprint,
        title={language: _title(rule, alert, language) for language in LANGUAGES},
        state=alert.state.value,
        severity=alert.severity.value,
        since=_ms(alert.active_at or alert.opened_at),
        is_acked=alert.is_acked(now),
    )


def _title(rule: Rule, alert: Alert, language: str) -> str:
    labels = item_of(rule, alert).labels.items()
    about = (translate(f"alerts.label.{name}", language, value=named(name, value, language)) for name, value in labels)
    return " · ".join((rule.name[language], *about))


def _worst_first(alert: Alert) -> tuple[int, int, bool, float]:
    """By state as on the page of the alerts, then by severity; then what nobody has, then what began first."""
    began = alert.active_at or alert.opened_at
    is_had, since = bool(alert.acked_by), began.timestamp() if began else 0.0
    return STATES.index(alert.state), -alert.severity.rank, is_had, since


def _ms(instant: datetime | None) -> int | None:
    return None if instant is None else to_us(instant) // 1000
