"""Label sets that gave no value although they should: a silent channel is the incident, not the end of it."""

from collections.abc import Iterable
from datetime import timedelta

from cockpit.alerts.machine import Alert, State, fingerprint
from cockpit.alerts.rules import Labels, Rule

GIVEN_UP = timedelta(days=1)


def unread(rule: Rule, alerts: Iterable[Alert], read: Iterable[Labels]) -> tuple[Labels, ...]:
    """Of the label sets that the rule expects, and of its alerts that are not fine, those that were not read.

    Each is due a reading without a value. A label set that nobody expects and that was fine just ends.
    """
    seen = {fingerprint(rule.id, labels) for labels in read}
    awaited = [*rule.expected, *(alert.labels for alert in alerts if _is_awaited(rule, alert))]
    missing = {key: labels for labels in awaited if (key := fingerprint(rule.id, labels)) not in seen}
    return tuple(missing.values())


def is_given_up(rule: Rule, alert: Alert) -> bool:
    """Whether an episode goes on about something that nobody expects and that has had no value to judge for a day.

    A campaign is over, an experiment has stopped: without this it would be kept, and repeated, for ever.
    """
    if not alert.is_open or alert.labels in rule.expected or alert.value_at is None or alert.last_eval is None:
        return False
    return alert.last_eval - (alert.missing_since or alert.value_at) >= GIVEN_UP


def _is_awaited(rule: Rule, alert: Alert) -> bool:
    return alert.rule_id == rule.id and alert.state is not State.OK
