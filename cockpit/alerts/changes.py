"""What another rule file ends or changes.

Law: no open episode ends without being resolved. A firing alert goes on when its rule judges differently; it ends when
its rule asks something else, or is gone.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from cockpit.alerts.machine import Alert, Notice, Reason, State, close
from cockpit.alerts.rules import Rule, RuleFile

ASKING = ("metric", "by", "where", "window")
JUDGING = (
    "every",
    "evaluation_delay",
    "min_count",
    "beyond_chance",
    "fire",
    "recover",
    "warn",
    "hold",
    "keep_firing_for",
    "nodata",
    "nodata_for",
    "on_error",
    "severity",
)


class Change(msgspec.Struct, frozen=True):
    """`notices` are told by the rules that `before` had: those of the old file."""

    before: Alert
    after: Alert
    notices: tuple[Notice, ...] = ()


def changed(old: RuleFile, new: RuleFile, alerts: Iterable[Alert], now: datetime) -> tuple[Change, ...]:
    """Of the alerts that it makes a difference to.

    They stay, also those of rules that are gone: if the rule comes back, its episodes are numbered on.
    """
    found = (_change(old.by_id.get(alert.rule_id), new.by_id.get(alert.rule_id), alert, now) for alert in alerts)
    return tuple(change for change in found if change is not None)


def _change(old: Rule | None, new: Rule | None, alert: Alert, now: datetime) -> Change | None:
    reason = _reason(old, new)
    if reason is None or (alert.state is State.OK and reason in (alert.reason, Reason.RULE_UPDATED)):
        return None
    if reason is Reason.RULE_UPDATED:
        return Change(alert, msgspec.structs.replace(alert, reason=reason))
    after, notices = close(alert, reason, now)
    return Change(alert, after, tuple(notices))


def _reason(old: Rule | None, new: Rule | None) -> Reason | None:
    if new is None:
        return Reason.RULE_DELETED
    if not new.is_enabled:
        return Reason.RULE_DISABLED
    if old is None or _differ(old, new, ASKING):
        return Reason.RULE_CHANGED
    return Reason.RULE_UPDATED if _differ(old, new, JUDGING) else None


def _differ(old: Rule, new: Rule, names: Iterable[str]) -> bool:
    return any(getattr(old, name) != getattr(new, name) for name in names)
