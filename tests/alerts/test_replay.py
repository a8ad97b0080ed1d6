from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from cockpit.alerts.conditions import read_condition
from cockpit.alerts.film import Episode
from cockpit.alerts.machine import Alert, Kind, State
from cockpit.alerts.metrics import ALERT_METRICS, OfExperiments, OfProcesses, fitted
from cockpit.alerts.outcome import outcome
from cockpit.alerts.readings import readings
from cockpit.alerts.replay import Cause, Replay, Replayed, replay, tried
from cockpit.alerts.rules import Mute, OnMissing, Rule, RuleFile
from cockpit.alerts.telling import Board
from cockpit.alerts.world import Span, World
from cockpit.store.database import Database
from cockpit.store.tiers import Ages, coarsen
from tests.alerts.past_reads import Asked
from tests.alerts.rounds import file_of, rule_of
from tests.alerts.shop import DAY, HOUR, MINUTE, SECOND, ZONE, Shop, every
from tests.warehouse_events import NOON, Row

AGES = Ages(timedelta(hours=48), timedelta(days=90))
BEGAN, ENDED = NOON + 30 * MINUTE, NOON + 50 * MINUTE  # of the incident
SPAN = Span(NOON, NOON + 2 * HOUR)


def attempts(channel: str, start: datetime, end: datetime, name: str) -> list[Row]:
    return every(6 * SECOND, start, end, name=name, channel=channel, use_case="cart", integration=channel)


def incident() -> Iterator[Row]:
    """Two hours of deliveries by e-mail and by WhatsApp, which fails for twenty minutes."""
    yield from attempts("email", SPAN.start, SPAN.end, "personalization_delivered")
    for start, end, name in (
        (SPAN.start, BEGAN, "personalization_delivered"),
        (BEGAN, ENDED, "personalization_failed"),
        (ENDED, SPAN.end, "personalization_delivered"),
    ):
        yield from attempts("whatsapp", start, end, name)


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    with Database.open(None) as database:
        Shop(database).take(*incident())
        yield Asked(database)


def errors(**changes: Any) -> Rule:
    limits = {"fire": read_condition("> 0.05"), "recover": read_condition("< 0.04"), "min_count": 10}
    return rule_of(**{"every": 15 * SECOND, **limits, **changes})


def replayed(asked: Asked, *rules: Rule, span: Span = SPAN, **of_file: Any) -> Replay:
    return replay(fitted(file_of(*rules, **of_file)), span, asked, ZONE)


def only(found: Replay) -> Replayed:
    (rule,) = found.rules
    return rule


def test_an_incident_is_found_with_when_it_began_fired_and_was_over_and_with_its_messages(asked: Asked) -> None:
    found = only(replayed(asked, errors()))
    (episode,) = found.episodes
    # One failure of fifty in the five minutes before 12:31 is 20 %, since the first ten failed within that minute. It
    # has to last 5 minutes; the last window with a failure ends at 12:54, and 2 more minutes have to be fine.
    assert episode.labels == {"channel": "whatsapp"}
    assert (episode.opened_at, episode.fired_at) == (BEGAN + MINUTE, BEGAN + 6 * MINUTE)
    assert episode.resolved_at == ENDED + 7 * MINUTE
    assert (episode.peak, episode.is_about_data, episode.messages) == (1.0, False, 2)
    assert found.messages == {"oncall": {Kind.FIRING: 1, Kind.RESOLVED: 1}}
    assert {line.labels["channel"]: max(value or 0 for _, value in line.points) for line in found.lines} == {
        "email": 0.0,
        "whatsapp": 1.0,
    }


def watched(rule: Rule, asked: Asked) -> list[tuple[State, datetime]]:
    """What the world itself and the same outcome give, minute after minute; states by when they were entered."""
    world, file = World(asked, ZONE), fitted(file_of(msgspec.structs.replace(rule, every=MINUTE)))
    alerts: Mapping[str, Alert] = {}
    changes = []
    at = BEGAN - 2 * MINUTE
    while at < ENDED + 10 * MINUTE:
        world.turn(at + rule.evaluation_delay, {})
        read = readings(file.rules[0], at, world, tuple(alerts.values()))
        found = outcome(Board(file, alerts), [(file.rules[0], read)], at + rule.evaluation_delay)
        changes += [(row.target, at) for row in found.transitions if row.source is not row.target]
        alerts = {**alerts, **found.alerts}
        at += MINUTE
    return changes


def test_it_is_what_a_watch_minute_by_minute_would_have_seen(asked: Asked) -> None:
    seen = watched(errors(), asked)
    assert [state for state, _ in seen] == [State.PENDING, State.FIRING, State.RECOVERING, State.OK]
    (episode,) = only(replayed(asked, errors())).episodes
    assert [episode.opened_at, episode.fired_at, episode.resolved_at] == [seen[0][1], seen[1][1], seen[3][1]]


def test_a_higher_limit_or_a_longer_for_would_not_have_fired(asked: Asked) -> None:
    assert only(replayed(asked, tried(errors(), 1.0, timedelta(0)))).episodes == ()
    assert only(replayed(asked, tried(errors(), 0.05, HOUR))).episodes == ()
    earlier = only(replayed(asked, tried(errors(), 0.05, timedelta(0)))).episodes[0]
    assert earlier.fired_at == BEGAN + MINUTE


def test_what_is_on_the_wrong_side_of_another_limit_is_not_tried() -> None:
    rule = errors(warn=read_condition("> 0.03"))
    lower = tried(rule, 0.02, MINUTE)
    assert (lower.fire.limit, lower.hold, lower.recover, lower.warn) == (0.02, MINUTE, None, None)
    higher = tried(rule, 0.08, MINUTE)
    assert (higher.recover, higher.warn) == (rule.recover, rule.warn)


def test_a_mute_keeps_messages_back_and_no_episode(asked: Asked) -> None:
    mute = Mute(name="m", reason="r", match={"rule": "errors"}, start=SPAN.start, end=SPAN.end)
    found = only(replayed(asked, errors(), mutes=(mute,)))
    assert ([episode.messages for episode in found.episodes], found.messages) == ([0], {})


def test_nobody_takes_an_alert_so_it_is_escalated(asked: Asked) -> None:
    found = only(replayed(asked, errors(escalate_after=10 * MINUTE)))
    assert found.messages["lead"] == {Kind.ESCALATED: 1, Kind.RESOLVED: 1}


def test_an_episode_that_goes_on_at_the_end_has_no_end(asked: Asked) -> None:
    (episode,) = only(replayed(asked, errors(), span=Span(SPAN.start, ENDED))).episodes
    assert episode.resolved_at is None
    assert episode.lasted(ENDED) == ENDED - BEGAN - 6 * MINUTE
    assert episode.peak == 1.0


def test_a_channel_that_falls_silent_is_found_too(asked: Asked) -> None:
    rule = errors(expect={"channel": ("email", "push")}, nodata=OnMissing.ALERT)
    (episode, *_) = only(replayed(asked, rule)).episodes
    assert (episode.labels, episode.is_about_data, episode.peak) == ({"channel": "push"}, True, None)


def test_rules_that_nothing_keeps_the_past_of_are_named_with_the_reason(asked: Asked) -> None:
    def one(name: str, **changes: Any) -> Rule:
        return rule_of(id=name, metric=name, by=(), **changes)

    disabled = errors(is_enabled=False)
    found = replayed(asked, one("queue_lag_s"), one("srm_p"), disabled, one("late_rate"))
    assert [(left.rule.id, left.cause) for left in found.left_out] == [
        ("queue_lag_s", Cause.OF_NOW),
        ("srm_p", Cause.OF_EXPERIMENTS),
        ("errors", Cause.DISABLED),
    ]
    assert [each.rule.id for each in found.rules] == ["late_rate"]


def test_every_metric_is_replayed_or_has_its_reason(asked: Asked) -> None:
    rules = tuple(rule_of(id=name, metric=name, by=()) for name in ALERT_METRICS)
    found = replayed(asked, *rules, span=Span(NOON, NOON + 3 * MINUTE))
    left = {each.rule.id for each in found.left_out if each.cause is not Cause.NOTHING_KEPT}
    assert left == {
        name for name, metric in ALERT_METRICS.items() if isinstance(metric.of, OfProcesses | OfExperiments)
    }
    assert len(found.rules) + len(found.left_out) == len(ALERT_METRICS)


def test_nothing_is_judged_before_anything_was_known(asked: Asked) -> None:
    found = only(replayed(asked, errors(expect={"channel": ("email",)}), span=Span(NOON - DAY, SPAN.end)))
    assert found.stretches[0].first == NOON
    assert [episode.labels for episode in found.episodes] == [{"channel": "whatsapp"}]


def test_where_only_hours_are_left_events_are_counted_again_and_the_intake_is_judged_by_the_hour() -> None:
    with Database.open(None) as database:
        asked = Asked(database)
        Shop(database).take(*incident())
        before = replayed(asked, errors())
        assert coarsen(database, ZONE, AGES, NOON + 4 * DAY) == 1
        assert replayed(asked, errors()) == before
        late = rule_of(id="late", metric="late_rate", by=(), window=HOUR, every=MINUTE)
        short, latency = rule_of(id="short", metric="late_rate", by=()), rule_of(id="wait", metric="report_p95_ms")
        found = replayed(asked, late, short, latency)
        (hours,) = only(found).stretches
        assert (hours.first, hours.step) == (NOON, HOUR)
        left_out = [(left.rule.id, left.cause) for left in found.left_out]
        assert left_out == [("short", Cause.NOTHING_KEPT), ("wait", Cause.NOTHING_KEPT)]


def test_hours_are_followed_by_minutes_once_a_window_is_whole() -> None:
    yesterday = every(MINUTE, NOON - DAY, NOON - DAY + 2 * HOUR)
    with Database.open(None) as database:
        asked = Asked(database)
        Shop(database).take(*yesterday, *every(MINUTE, NOON, NOON + 2 * HOUR))
        assert coarsen(database, ZONE, Ages(12 * HOUR, 90 * DAY), NOON) == 1
        late = rule_of(id="late", metric="late_rate", by=(), window=HOUR, every=MINUTE, nodata=OnMissing.KEEP)
        hours, minutes = only(replayed(asked, late, span=Span(NOON - DAY, SPAN.end))).stretches
        assert list(hours.instants()) == [NOON - DAY + number * HOUR for number in range(4)]  # two, and a whole window
        assert (minutes.first, minutes.step) == (NOON - DAY + 3 * HOUR + MINUTE, MINUTE)
        waits = rule_of(id="wait", metric="report_p95_ms")
        midnight = NOON - 12 * HOUR  # in São Paulo; of the day before nothing but a whole day is left of the waits
        assert (
            only(replayed(asked, waits, span=Span(NOON - DAY, SPAN.end))).stretches[0].first == midnight + waits.window
        )


def test_the_progress_rises_to_the_whole(asked: Asked) -> None:
    heard: list[float] = []
    replay(fitted(file_of(errors())), SPAN, asked, ZONE, heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    assert len(heard) > 50


def test_a_rule_is_replayed_alike_alone_and_among_others(asked: Asked) -> None:
    others = (errors(id="other", hold=timedelta(0)), errors(id="slow", every=7 * MINUTE))
    alone, among = replayed(asked, errors()), replayed(asked, others[0], errors(), others[1])
    assert among.rules[1].episodes == only(alone).episodes
    assert among.rules[1].messages == only(alone).messages


def test_the_result_is_a_value_that_can_be_kept(asked: Asked) -> None:
    found = replayed(asked, errors())
    assert msgspec.json.decode(msgspec.json.encode(found), type=Replay) == found
    assert isinstance(found.rules[0].episodes[0], Episode)
    assert isinstance(file_of(), RuleFile)
