from datetime import timedelta

import polars as pl
import pytest

from cockpit.events.frame import INSTANT
from cockpit.measures.histogram import RELATIVE_ERROR, ZERO, value_ms
from cockpit.measures.triggers import (
    EVENT_TO_ACTION,
    LATENCY_SCHEMA,
    WAIT,
    WAITING_SCHEMA,
    actions_of,
    latencies,
    match_waiting,
    match_within,
)
from tests.warehouse_events import NOON, Row, action, event, frame

NO_KNOWN = pl.DataFrame(
    schema={"row": pl.Int64, "trigger_source": pl.String, "trigger_at": INSTANT, "trigger_received_at": INSTANT}
)
SECOND = timedelta(seconds=1)


def numbered(*rows: Row) -> pl.DataFrame:
    return frame(rows).with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))


def matched(*rows: Row, known: pl.DataFrame = NO_KNOWN) -> dict[str, object]:
    events = numbered(*rows)
    found = match_within(actions_of(events), events, known)
    return dict(found.select("message_id", "trigger_at").iter_rows())


def test_an_action_finds_its_trigger_before_and_after_it() -> None:
    rows = [event("t1"), action("a1", "t1"), action("a2", "t2"), event("t2", at=NOON + SECOND)]
    assert matched(*rows) == {"a1": NOON, "a2": NOON + SECOND}


def test_an_action_without_a_trigger_in_sight_waits() -> None:
    assert matched(action("a", "nowhere")) == {"a": None}


def test_an_action_is_not_its_own_trigger() -> None:
    assert matched(action("a", "a")) == {"a": None}


def test_what_came_before_wins_over_what_comes_after_even_of_the_own_source() -> None:
    rows = [event("t", source="crm", at=NOON - SECOND), action("a", "t"), event("t", source="shop")]
    assert matched(*rows) == {"a": NOON - SECOND}


def test_of_what_came_before_the_own_source_wins_then_the_first_by_name() -> None:
    known = pl.DataFrame(
        [(0, "web", NOON - SECOND, NOON), (0, "crm", NOON - 2 * SECOND, NOON)], schema=NO_KNOWN.schema, orient="row"
    )
    assert matched(action("a", "t"), known=known) == {"a": NOON - 2 * SECOND}
    own = pl.DataFrame([(0, "shop", NOON, NOON)], schema=NO_KNOWN.schema, orient="row")
    assert matched(action("a", "t"), known=pl.concat([known, own])) == {"a": NOON}


def test_a_failed_personalization_is_no_action() -> None:
    assert matched(event("a", "personalization_failed", trigger_id="t"), event("t")) == {}


def test_a_waiting_action_takes_the_first_trigger_that_comes_in_time() -> None:
    waiting = actions_of(numbered(action("a", "t"))).select(list(WAITING_SCHEMA))
    in_time, too_late = NOON + WAIT, NOON + WAIT + SECOND
    first = event("t", source="crm", at=in_time, received_at=in_time)
    second = event("t", at=NOON, received_at=in_time)
    assert match_waiting(waiting, numbered(first, second))["trigger_at"].to_list() == [in_time]
    assert match_waiting(waiting, numbered(event("t", received_at=too_late))).is_empty()


def test_the_stages_of_a_latency_worked_by_hand() -> None:
    # 300 ms until the trigger was received, 700 ms from there to the action, 100 ms until that was received.
    trigger = event("t", received_at=NOON + timedelta(milliseconds=300))
    events = numbered(trigger, action("a", "t", at=NOON + SECOND))
    found = latencies(match_within(actions_of(events), events, NO_KNOWN))
    took = {stage: value_ms(bucket) for stage, bucket in found.select("stage", "bucket").iter_rows()}
    expected = {EVENT_TO_ACTION: 1000, "ingest": 300, "decide": 700, "report": 100}
    assert took == {stage: pytest.approx(ms, rel=RELATIVE_ERROR) for stage, ms in expected.items()}


def test_a_negative_latency_counts_as_zero_and_is_counted() -> None:
    events = numbered(event("t", at=NOON + SECOND), action("a", "t", at=NOON))
    found = latencies(match_within(actions_of(events), events, NO_KNOWN))
    whole = found.filter(pl.col("stage") == EVENT_TO_ACTION)
    assert whole.select("bucket", "actions", "clipped").rows() == [(ZERO, 1, 1)]
    assert found.schema == LATENCY_SCHEMA == latencies(frame([])).schema
