"""The rules that come with Cockpit, data/alerts.toml, held against the table they were designed by."""

import math
import re
from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import pytest

from cockpit.alerts.machine import Reading, State, step
from cockpit.alerts.metrics import infos
from cockpit.alerts.rule_file import read_rules
from cockpit.alerts.rules import Known, OnMissing, Rule, RuleFile, Severity
from cockpit.config import ROOT
from tests.alerts.rounds import START, Life, alert_of

TEXT = (ROOT / "data" / "alerts.toml").read_text(encoding="utf-8")
LINE_OF_METRIC = re.compile(r"^#   ([a-z]\w+) +([A-Za-z_, ]+?|-)  ", re.MULTILINE)
LINE_OF_GROUP = re.compile(r"^#   ([A-Z]+) += (.+)$", re.MULTILINE)
PAGES = frozenset({"/", *(f"/{path.stem}" for path in (ROOT / "pages").glob("*.py") if path.stem != "executive")})
OPERATIONAL = {"heartbeat_age_s", "queue_lag_s", "queue_rising_s", "freshness_s", "rule_failing_s"}


@pytest.fixture(scope="module")
def file() -> RuleFile:
    return read_rules(TEXT, "alerts.toml", Known(infos(), PAGES))


def listed() -> dict[str, set[str]]:
    """Labels by metric, as the comment at the top of the file has them."""
    groups: dict[str, set[str]] = {}
    for name, labels in LINE_OF_GROUP.findall(TEXT):
        groups[name] = expanded(labels, groups)
    return {name: expanded(labels, groups) for name, labels in LINE_OF_METRIC.findall(TEXT)}


def expanded(labels: str, groups: Mapping[str, set[str]]) -> set[str]:
    return {label for word in re.findall(r"\w+", labels) for label in groups.get(word, {word})}


def minutes(*numbers: float) -> tuple[timedelta, ...]:
    return tuple(timedelta(minutes=number) for number in numbers)


def test_the_comment_lists_the_metrics_that_are_asked_for_and_no_others(file: RuleFile) -> None:
    assert {rule.metric for rule in file.rules} == listed().keys()


def test_the_comment_lists_the_labels_of_the_registry() -> None:
    assert listed() == {name: set(infos()[name].labels) for name in listed()}


W, C = Severity.WARN, Severity.CRITICAL
ALERT, KEEP = OnMissing.ALERT, OnMissing.KEEP


ROWS = [
    ("integration_error_rate", "> 0.05", "> 0.03", (5, 2), C, ALERT),
    ("cart_email_latency", "> 60000", None, (5, 2), C, ALERT),
    ("site_latency", "> 5000", None, (5, 2), C, ALERT),
    ("queue_lag", "> 120", None, (3, 2), C, ALERT),
    ("queue_rising", ">= 600", None, (3, 2), C, ALERT),
    ("channel_down", "< 0.4", None, (5, 5), C, ALERT),
    ("personalizations_drop", "< 0.25", "< 0.5", (10, 5), C, ALERT),
    ("fallback_rate", "> 0.2", None, (10, 5), W, KEEP),
    ("experiment_below_target", ">= 2.9957", None, (60, 0), W, KEEP),
    ("uplift_negative", ">= 2.9957", None, (60, 1440), C, KEEP),
    ("guardrail_harm", ">= 1", None, (60, 0), C, KEEP),
    ("sample_ratio_mismatch", "< 0.05", None, (0, 0), C, KEEP),
    ("control_contaminated", "> 0.005", None, (15, 0), C, KEEP),
    ("whatsapp_opt_out", "> 0.01", None, (15, 0), C, KEEP),
    ("consent_breach", ">= 1", None, (0, 0), C, KEEP),
    ("late_events", "> 0.02", None, (10, 0), W, KEEP),
    ("duplicate_events", "> 0.01", None, (10, 0), W, KEEP),
    ("invalid_events", "> 0.005", None, (10, 0), W, KEEP),
    ("mart_freshness", "> 120", None, (15, 0), W, KEEP),
    ("ingester_down", "> 60", None, (0, 0), C, ALERT),
    ("rule_failing", ">= 600", None, (0, 0), W, KEEP),
]


@pytest.mark.parametrize(("rule_id", "fire", "warn", "held", "severity", "nodata"), ROWS)
def test_a_rule_is_that_of_the_design(  # noqa: PLR0917 - the columns of a table
    file: RuleFile,
    rule_id: str,
    fire: str,
    warn: str | None,
    held: tuple[int, int],
    severity: Severity,
    nodata: OnMissing,
) -> None:
    rule = file.by_id[rule_id]
    assert str(rule.fire) == fire
    assert (str(rule.warn) if rule.warn else None) == warn
    assert (rule.hold, rule.keep_firing_for) == minutes(*held)
    assert (rule.severity, rule.nodata) == (severity, nodata)


def test_no_rule_is_without_a_row_in_the_table_of_the_design(file: RuleFile) -> None:
    assert {rule.id for rule in file.rules} == {row[0] for row in ROWS}


def test_the_dpo_hears_of_consent(file: RuleFile) -> None:
    assert "dpo" in file.by_id["consent_breach"].receivers


def experiments(file: RuleFile) -> list[Rule]:
    return [rule for rule in file.rules if "experiment" in rule.by]


def test_an_experiment_rule_never_hears_of_winners(file: RuleFile) -> None:
    losing = {
        "experiment_below_target", "uplift_negative_log_e", "guardrail_harm", "srm_p", "control_contamination_rate"
    }  # fmt: skip
    assert {rule.metric for rule in experiments(file)} == losing


@pytest.mark.parametrize("rule_id", ["experiment_below_target", "uplift_negative", "guardrail_harm"])
def test_evidence_has_to_stand_at_two_evaluations(file: RuleFile, rule_id: str) -> None:
    rule = file.by_id[rule_id]
    assert rule.every == timedelta(hours=1)
    assert Life(rule, tick=rule.every).live([3.5]).state is State.PENDING
    assert Life(rule, tick=rule.every).live([3.5, 3.5]).state is State.FIRING


# Edge 21: looking every hour


def share_that_fires(rule: Rule, shift: float) -> float:
    """Of 600 experiments looked at 60 times: ln of the likelihood ratio of a loss of 0.4 sd against none."""
    dice = np.random.default_rng(20261124)
    evidence = np.cumsum(0.4 * dice.normal(shift, 1, (600, 60)) - 0.08, axis=1)
    fired = [Life(rule, tick=rule.every).live(row.tolist()).alert.episode > 0 for row in evidence]
    return sum(fired) / len(fired)


def test_looking_every_hour_accuses_at_most_one_in_twenty_healthy_experiments(file: RuleFile) -> None:
    rule = file.by_id["experiment_below_target"]
    assert share_that_fires(rule, 0.0) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 600)  # Ville, and three sd of the count
    assert share_that_fires(rule, 0.6) > 0.95


def test_a_negative_uplift_is_over_when_the_interval_has_covered_zero_for_a_day(file: RuleFile) -> None:
    rule = file.by_id["uplift_negative"]
    life = Life(rule, tick=rule.every).live([3.5] * 2 + [0.0] * 23)
    assert life.state is State.RECOVERING
    life.live([3.5] + [0.0] * 24)
    assert life.state is State.RECOVERING
    assert life.live([0.0]).state is State.OK
    assert [notice for notice in life.noticed if "REPEAT" not in notice] == ["FIRING@1", "RESOLVED@50"]


def test_a_sample_ratio_mismatch_is_told_once_per_onset(file: RuleFile) -> None:
    rule = file.by_id["sample_ratio_mismatch"]
    assert Life(rule, tick=rule.every).live([0.3, 0.04] + [0.01] * 400).noticed == ["FIRING@1"]


# Edge 3: a whole channel silent


def at_night(rule: Rule, value: float | None, expected: int) -> State:
    alert, at = alert_of(rule), START
    for _ in range(40):
        at += rule.every
        alert, _ = step(rule, alert, Reading(at=at, value=value, count=expected), at)
    return alert.state


def test_a_silent_channel_fires_where_events_are_expected_and_not_at_three_in_the_morning(file: RuleFile) -> None:
    rule = file.by_id["channel_down"]
    assert at_night(rule, 0.0, 300) is State.FIRING
    assert at_night(rule, 0.0, 19) is State.OK


def test_a_channel_without_a_history_calls_nobody(file: RuleFile) -> None:
    assert at_night(file.by_id["channel_down"], None, 0) is State.OK


def test_channels_are_asked_for_by_name(file: RuleFile) -> None:
    assert {"channel": "whatsapp"} in file.by_id["channel_down"].expected


def test_what_is_counted_from_events_is_quiet_while_none_come_in(file: RuleFile) -> None:
    assert {rule.metric for rule in file.rules if not rule.is_derived} == OPERATIONAL
    assert [(inhibit.source, inhibit.target) for inhibit in file.inhibits] == [
        ("ingester_down", {"derived": True}),
        ("channel_down", {"derived": True}),
    ]
