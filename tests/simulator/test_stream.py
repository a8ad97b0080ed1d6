import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from cockpit.clock import from_us, to_us
from cockpit.simulator import season
from cockpit.simulator.stream import deliveries, events_per_visit, happenings
from cockpit.simulator.truth import Incident
from tests.simulator.shop import START, ZONE, band, events, named, scenario, share_of


@pytest.fixture(scope="module")
def hour() -> list[object]:
    return list(events(scenario(), 60_000))


def test_the_same_seed_gives_the_same_events_and_another_seed_others() -> None:
    assert events(scenario(), 2000, seed=4) == events(scenario(), 2000, seed=4)
    assert events(scenario(), 2000, seed=4) != events(scenario(), 2000, seed=5)


def test_events_leave_in_the_order_of_their_time_which_is_their_timestamp() -> None:
    given = events(scenario(), 30_000)
    assert all(one.at_us <= other.at_us for one, other in itertools.pairwise(given))
    for at_us, message in given[::100]:
        assert to_us(datetime.fromisoformat(message["timestamp"])) == at_us // 1000 * 1000


def test_message_ids_are_unique_and_begin_with_the_run() -> None:
    ids = [one.message["messageId"] for one in events(scenario(), 30_000)]
    assert len(set(ids)) == len(ids)
    assert all(each.startswith("r-") for each in ids)


def test_visits_come_through_the_planted_channels() -> None:
    of = scenario()
    sessions = {
        one.message["properties"]["session_id"]: one.message["properties"]["channel"]
        for one in named(events(of, 100_000), "page", "screen")
    }
    total = sum(of.truth.channels.values())
    for channel, share in of.truth.channels.items():
        seen = share_of(list(sessions.values()), channel)
        assert seen == pytest.approx(share / total, abs=band(share, len(sessions))), channel


def test_visits_are_of_the_planted_segments() -> None:
    of = scenario("recovery_share=0.0")
    homes = [one.message["properties"]["segment"] for one in named(events(of, 100_000), "page", "screen")]
    for segment, planted in of.truth.segments.items():
        assert share_of(homes, segment) == pytest.approx(planted.share, abs=band(planted.share, len(homes))), segment


def test_traffic_follows_the_hours_of_the_shop_in_its_own_time_zone() -> None:
    # One visit in 40 s over four weeks: about 2,000 per hour of the day
    of = scenario("visits_per_second=0.025", "season_depth=1.0", "view_share=0.0", "recovery_share=0.0")
    end_us = to_us(START + timedelta(days=28))
    stream = happenings(of, Random(3), run="r", start=START, zone=ZONE)
    homes = named(itertools.takewhile(lambda one: one.at_us < end_us, stream), "page", "screen")
    seen = Counter(from_us(one.at_us).astimezone(ZONE).hour for one in homes)
    for local_hour in range(24):
        following = season.HOURS[(local_hour + 1) % 24]
        planted = 28 * 3600 * 0.025 * (season.HOURS[local_hour] + following) / 2
        assert seen[local_hour] == pytest.approx(planted, abs=4 * planted**0.5), local_hour


def test_a_silent_channel_is_silent_for_its_time_only() -> None:
    silence = Incident(kind="silent_channel", target="app", lasts_minutes=10, begins_at=START + timedelta(minutes=20))
    screens = named(events(scenario(incidents=(silence,)), 100_000), "screen")
    minutes = Counter((one.at_us - to_us(START)) // 60_000_000 for one in screens)
    assert [minutes[minute] for minute in range(20, 30)] == [0] * 10
    assert min(minutes[minute] for minute in (*range(5, 20), *range(30, 45))) > 0


def test_the_network_loses_doubles_and_delays_the_planted_shares() -> None:
    of = scenario("lost_share=0.05", "duplicate_share=0.03", "late_share=0.04", "late_minutes=2.0")
    given = events(of, 40_000)
    sent = list(deliveries(iter(given), of.truth, Random(2)))
    copies = Counter(one.message["messageId"] for one in sent)
    happened = {one.message["messageId"]: one.at_us for one in given}
    assert all(one.sent_us <= other.sent_us for one, other in itertools.pairwise(sent))
    assert 1 - len(copies) / len(given) == pytest.approx(0.05, abs=band(0.05, len(given)))
    assert share_of(list(copies.values()), 2) == pytest.approx(0.03, abs=2 * band(0.03, len(given)))
    delays = [one.sent_us - happened[one.message["messageId"]] for one in sent if copies[one.message["messageId"]] == 1]
    late = [delay for delay in delays if delay > 0]
    assert len(late) / len(given) == pytest.approx(0.04, abs=band(0.04, len(given)))
    assert sum(late) / len(late) == pytest.approx(120e6, rel=0.15)


def test_a_perfect_network_changes_nothing() -> None:
    of = scenario("lost_share=0.0", "duplicate_share=0.0", "late_share=0.0")
    given = events(of, 3000)
    assert [tuple(one) for one in deliveries(iter(given), of.truth, Random(2))] == [tuple(one) for one in given]


def test_events_per_visit_turns_visits_into_events() -> None:
    of = scenario("season_depth=0.0")
    span_s = 3 * 3600
    end_us = to_us(datetime(2026, 11, 20, 15, tzinfo=UTC))
    stream = happenings(of, Random(3), run="r", start=START, zone=ZONE)
    count = sum(1 for _ in itertools.takewhile(lambda one: one.at_us < end_us, stream))
    assert count / span_s == pytest.approx(of.truth.visits_per_second * events_per_visit(of, Random(1)), rel=0.06)
