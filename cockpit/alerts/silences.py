"""Why an alert that goes on may not be told: a silence, a planned mute, or a greater evil that explains it.

Law: none of them is part of evaluating. Whoever was told that it began is told that it is over.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from cockpit.alerts.machine import Alert
from cockpit.alerts.rules import LABELS, Inhibit, Rule, RuleFile

Match = Mapping[str, str | bool]
MATCHED = ("rule", "severity", *LABELS)
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Hiding(StrEnum):
    SILENCE = "silence"
    MUTE = "mute"
    INHIBIT = "inhibit"


class Silence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody's wish for quiet, from `starts` until `ends`, about the alerts that have all of `matchers`.

    `tells_resolved`: the end of an episode is told nevertheless to whoever was told of its beginning.
    """

    id: Text
    matchers: dict[str, str]
    starts: datetime
    ends: datetime
    by: Text
    comment: Text
    tells_resolved: bool = True

    def __post_init__(self) -> None:
        if not self.matchers:
            raise ValueError("a silence without matchers would silence everything")
        if unknown := sorted(set(self.matchers) - set(MATCHED)):
            raise ValueError(f"a silence cannot match {', '.join(unknown)}; it can {', '.join(MATCHED)}")
        if self.ends <= self.starts:
            raise ValueError("a silence ends after it starts")

    def covers(self, rule: Rule, alert: Alert, at: datetime) -> bool:
        return self.starts <= at < self.ends and matches(self.matchers, rule, alert)


def matches(match: Match, rule: Rule, alert: Alert) -> bool:
    """Whether the alert has all of it: labels, also those that its rule fixes, `rule`, `severity`, `derived`."""
    facts = {
        **rule.where,
        **alert.labels,
        "rule": rule.id,
        "severity": alert.severity.value,
        "derived": rule.is_derived,
    }
    return all(facts.get(name) == wanted for name, wanted in match.items())


def silence_of(rule: Rule, alert: Alert, silences: Iterable[Silence], at: datetime) -> Silence | None:
    return next((silence for silence in silences if silence.covers(rule, alert, at)), None)


def hidden_by(
    alert: Alert, file: RuleFile, silences: Iterable[Silence], alerts: Iterable[Alert], at: datetime
) -> Hiding | None:
    """What keeps the alert from being told at the moment; None: nothing. `alerts`: all there are, of every rule."""
    rule = file.by_id[alert.rule_id]
    if silence_of(rule, alert, silences, at) is not None:
        return Hiding.SILENCE
    if any(mute.covers(at) and matches(mute.match, rule, alert) for mute in file.mutes):
        return Hiding.MUTE
    return Hiding.INHIBIT if _is_inhibited(alert, file, alerts) else None


def _is_inhibited(alert: Alert, file: RuleFile, alerts: Iterable[Alert]) -> bool:
    rule = file.by_id[alert.rule_id]
    inhibits = [inhibit for inhibit in file.inhibits if inhibit.source != rule.id]
    asked = [inhibit for inhibit in inhibits if matches(inhibit.target, rule, alert)]
    return bool(asked) and any(_inhibits(inhibit, other, alert) for inhibit in asked for other in alerts)


def _inhibits(inhibit: Inhibit, source: Alert, target: Alert) -> bool:
    """A source that fires, or whose data went away while it fired."""
    is_source = source.rule_id == inhibit.source and source.is_breached
    return is_source and all(source.labels.get(label) == target.labels.get(label) for label in inhibit.equal)
