"""What has to agree in a rule file: keys of one table with each other, tables with other tables and the catalogues."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from cockpit.alerts.conditions import are_apart, comes_before
from cockpit.alerts.rules import Inhibit, Known, Mute, Receiver, Rule, Severity
from cockpit.kpis.kpi import Unit

LONGEST_MUTE = timedelta(days=7)

Disagreement = tuple[str, str]  # a key, or "" for the whole table, and what is wrong about it


def of_rule(rule: Rule, receivers: set[str], known: Known) -> Iterator[Disagreement]:
    yield from _limits(rule)
    yield from _times(rule)
    yield from _metric(rule, known)
    for name in rule.receivers:
        if name not in receivers:
            yield "receivers", f"there is no receiver {name!r}"
    path = rule.page.partition("?")[0]
    if path not in known.pages:
        yield "page", f"there is no page {path!r}; there are {', '.join(sorted(known.pages))}"
    if "rule" not in rule.group_by:
        yield "group_by", "has to name rule: a message is about one rule"


def _limits(rule: Rule) -> Iterator[Disagreement]:
    if rule.recover is not None and not are_apart(rule.fire, rule.recover):
        yield "recover", f"'{rule.recover}' is not on the safe side of fire '{rule.fire}'"
    if rule.warn is None:
        return
    if not comes_before(rule.warn, rule.fire):
        yield "warn", f"'{rule.warn}' does not come before fire '{rule.fire}'"
    if rule.severity is not Severity.CRITICAL:
        yield "warn", "only a critical rule can warn before"


def _times(rule: Rule) -> Iterator[Disagreement]:
    if rule.evaluation_delay >= rule.window:
        yield "evaluation_delay", "has to be shorter than the window"


def _metric(rule: Rule, known: Known) -> Iterator[Disagreement]:
    metric = known.metrics.get(rule.metric)
    if metric is None:
        like = get_close_matches(rule.metric, known.metrics, 1)
        yield "metric", f"there is no metric {rule.metric!r}{f'; {like[0]}?' if like else ''}"
        return
    for key, labels in (("by", rule.by), ("where", rule.where)):
        for label in labels:
            if label not in metric.labels:
                has = f"by {', '.join(metric.labels)}" if metric.labels else "by nothing"
                yield key, f"{rule.metric} cannot be split by {label}; it can {has}"
    if rule.beyond_chance and metric.unit is not Unit.SHARE:
        yield "beyond_chance", f"{rule.metric} is no share of anything that is counted"
    for label in rule.expect:
        if label not in rule.by:
            yield "expect", f"the rule is not split by {label}"


def of_receiver(receiver: Receiver, names: set[str]) -> Iterator[Disagreement]:
    if receiver.escalate_to is None:
        return
    if receiver.escalate_to not in names:
        yield "escalate_to", f"there is no receiver {receiver.escalate_to!r}"
    if receiver.escalate_to == receiver.name:
        yield "escalate_to", "is the receiver itself"


def of_mute(mute: Mute, rules: set[Any]) -> Iterator[Disagreement]:
    is_once = mute.start is not None or mute.end is not None
    if is_once + (mute.during is not None) + (mute.outside is not None) != 1:
        yield "", "has either from and to, or during, or outside"
    elif is_once:
        yield from _once(mute)
    elif mute.during is not None and mute.during.never_ends:
        yield "during", "covers the whole week: it would never end"
    yield from _rules_of_match("match", mute.match, rules)


def _once(mute: Mute) -> Iterator[Disagreement]:
    if mute.start is None or mute.end is None:
        yield "", "has from and to: it ends by itself"
    elif mute.end <= mute.start:
        yield "to", "is not after from"
    elif mute.end - mute.start > LONGEST_MUTE:
        yield "to", f"is more than {LONGEST_MUTE.days} days after from"


def of_inhibit(inhibit: Inhibit, rules: set[Any]) -> Iterator[Disagreement]:
    if inhibit.source not in rules:
        yield "source", f"there is no rule {inhibit.source!r}"
    yield from _rules_of_match("target", inhibit.target, rules)


def _rules_of_match(key: str, match: Mapping[str, str | bool], rules: set[Any]) -> Iterator[Disagreement]:
    if "rule" in match and match["rule"] not in rules:
        yield key, f"there is no rule {match['rule']!r}"
