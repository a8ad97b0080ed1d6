"""The table of worked examples of the wire, and the laws of the rule."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.clock import to_us
from cockpit.events.arrival import Arrival
from cockpit.events.clock_rule import RULES, UNKNOWN, Instants, place_in_time
from cockpit.events.frame import Flag
from cockpit.events.rows import microseconds
from tests.events.shared import NOON_US, SHOP, SITE, row

DAY = "2026-11-22T"
VECTORS = [  # received at 12:00:00
    ("11:59:58.0", "11:59:59.9", False, "11:59:58.0", "client", 0),
    ("11:59:20", "11:59:28", False, "11:59:20", "client", 0),
    ("12:59:50", "13:00:00", False, "11:59:50", "skew_fast", 0),
    ("10:59:50", "11:00:00", False, "11:59:50", "skew_slow", 0),
    ("10:59:50", "11:00:00", True, "10:59:50", "client_retry", 0),
    ("12:00:02", "12:00:03", False, "12:00:00", "client", Flag.FUTURE),
    ("11:59:59.4", "11:59:59.0", False, "11:59:59.4", "client", 0),
    ("9999-12-31", None, False, "12:00:00", "client", 0),
    ("infinity", "11:59:59", False, "12:00:00", "received", Flag.BAD_TIMESTAMP),
]


def instant(text: str | None) -> str | None:
    return text if text is None or text in ("9999-12-31", "infinity") else f"{DAY}{text}Z"


@pytest.mark.parametrize("vector", VECTORS, ids=[f"{vector[0]}-{vector[3]}-{vector[4]}" for vector in VECTORS])
def test_worked_examples(vector: tuple[str, str | None, bool, str, str, int]) -> None:
    original, sent, is_retry, occurred, rule, flags = vector
    arrival = Arrival(SHOP, NOON_US, is_retry=is_retry)
    stored = row({"timestamp": instant(original), "sentAt": instant(sent)}, arrival)
    assert stored["occurred_at"] == datetime.fromisoformat(f"{DAY}{occurred}Z")
    assert (stored["time_source"], stored["flags"]) == (rule, flags)
    assert stored["received_at"] == datetime(2026, 11, 22, 12, tzinfo=UTC)


NONSENSE = [
    "", "yesterday", "294247-01-01T00:00:00Z", "-0044-03-15T00:00:00Z", "2026-11-22T10:00:00+25:00",
    "2026-02-30T10:00:00Z",
    1795348800, "20261122", "2026-11-22T10:00:60Z",
]  # fmt: skip
SAME = [
    "2026-11-22T11:59:00Z", "2026-11-22T11:59:00.000000+00:00", "2026-11-22T08:59:00-03:00", "2026-11-22 11:59:00",
    "2026-11-22T11:59:00",
]  # fmt: skip


@pytest.mark.parametrize("text", NONSENSE)
def test_nonsense_is_placed_at_receipt(text: object) -> None:
    stored = row({"timestamp": text})
    assert stored["occurred_at"] == stored["received_at"]
    assert stored["original_at"] is None
    assert stored["flags"] == (Flag.BAD_TIMESTAMP if text != "" else 0)


@pytest.mark.parametrize("text", SAME)
def test_the_same_instant_in_other_words(text: str) -> None:
    assert row({"timestamp": text})["occurred_at"] == datetime(2026, 11, 22, 11, 59, tzinfo=UTC)


def test_original_timestamp_wins_over_timestamp() -> None:
    stored = row({"timestamp": f"{DAY}11:00:00Z", "originalTimestamp": f"{DAY}11:30:00Z", "sentAt": f"{DAY}11:59:59Z"})
    assert stored["occurred_at"] == datetime(2026, 11, 22, 11, 30, tzinfo=UTC)


def test_sent_at_of_the_batch_holds_for_events_without_their_own() -> None:
    an_hour_fast = Arrival(SHOP, NOON_US, sent_us=NOON_US + 3_600_000_000)
    assert row({"timestamp": f"{DAY}12:59:50Z"}, an_hour_fast)["time_source"] == "skew_fast"
    own = row({"timestamp": f"{DAY}11:59:50Z", "sentAt": f"{DAY}11:59:59Z"}, an_hour_fast)
    assert own["time_source"] == "client"


def test_what_is_older_than_the_limit_is_late_unless_a_secret_key_declares_history() -> None:
    old = {"timestamp": "2026-11-15T11:59:59Z"}
    assert row(old)["flags"] == Flag.LATE
    assert row({"timestamp": "2026-11-15T12:00:00Z"})["flags"] == 0
    assert row({**old, "historical": True})["flags"] == Flag.HISTORICAL
    assert row(old, Arrival(SHOP, NOON_US, is_historical=True))["flags"] == Flag.HISTORICAL
    assert row({**old, "historical": True}, Arrival(SITE, NOON_US))["flags"] == Flag.LATE
    assert row({**old, "historical": "yes"})["flags"] == Flag.LATE


def test_before_the_year_2000_is_late_even_as_history() -> None:
    assert row({"timestamp": "1999-12-31T23:59:59Z", "historical": True})["flags"] == Flag.LATE


some_instants = st.integers(to_us(datetime(1, 1, 1, tzinfo=UTC)), to_us(datetime(9999, 12, 31, tzinfo=UTC)))


@given(st.one_of(st.just(UNKNOWN), some_instants), st.one_of(st.just(UNKNOWN), some_instants), st.booleans())
def test_nothing_happens_after_it_was_received(original: int, sent: int, is_retry: bool) -> None:  # noqa: FBT001
    one = np.array([NOON_US])
    flags = np.array([is_retry])
    placed = place_in_time(Instants(np.array([original]), np.array([sent]), one, one, flags, ~flags))
    assert placed.occurred[0] <= NOON_US
    assert RULES[placed.rule[0]] in RULES
    if original == UNKNOWN:
        assert placed.occurred[0] == NOON_US


@given(st.lists(st.one_of(st.none(), st.datetimes(timezones=st.just(UTC))), min_size=1))
def test_instants_are_exact_to_the_microsecond(instants: list[datetime | None]) -> None:
    expected = [UNKNOWN if each is None or each.year == 1 else to_us(each) for each in instants]
    assert microseconds(instants).tolist() == expected


@given(st.lists(st.datetimes(datetime(1970, 1, 1), datetime(2110, 1, 1), timezones=st.just(UTC)), min_size=50))  # noqa: DTZ001 - Hypothesis wants them naive
def test_instants_of_our_time_are_exact_too(instants: list[datetime | None]) -> None:
    assert microseconds(instants).tolist() == [to_us(each) for each in instants if each is not None]
