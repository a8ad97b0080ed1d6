from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from polars.testing import assert_frame_equal

from cockpit.events.frame import Flag
from cockpit.measures import rollups
from cockpit.measures.rollups import EVENT_MEASURES, FACT_SCHEMA, INTAKE, VISITS, Rollup, facts, measured
from tests.warehouse_events import Row, event, frame, purchase, streams

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
ROLLUPS = [EVENT_MEASURES, VISITS]


def facts_of(rows: list[Row]) -> pl.DataFrame:
    events = measured(frame(rows)).with_columns(is_order=pl.col("name") == "purchase")
    return facts(events, SAO_PAULO, "BRL")


def same(left: pl.DataFrame, right: pl.DataFrame) -> None:
    assert_frame_equal(left, right, check_row_order=False)


@pytest.mark.parametrize("rollup", ROLLUPS)
@given(streams())
def test_the_rollup_of_a_and_b_is_the_merge_of_their_rollups(rollup: Rollup, batches: list[list[Row]]) -> None:
    whole = rollup.merge(facts_of([row for batch in batches for row in batch]))
    parts = [rollup.merge(facts_of(batch)) for batch in batches]
    same(rollup.merge(pl.concat([FACT_SCHEMA.to_frame().select(rollup.columns), *parts])), whole)
    same(rollup.merge(whole), whole)


@given(streams())
def test_intake_merges_too(batches: list[list[Row]]) -> None:
    frames = [frame(batch).with_columns(outcome=pl.lit("stored")) for batch in batches] or [
        frame([]).with_columns(outcome=pl.lit("stored"))
    ]
    parts = INTAKE.merge(pl.concat([rollups.intake_of(rows) for rows in frames]))
    same(parts, rollups.intake_of(pl.concat(frames)))


def test_facts_have_exactly_their_schema() -> None:
    assert facts_of([event("a"), purchase("b", 100)]).schema == FACT_SCHEMA
    assert facts_of([]).schema == FACT_SCHEMA


def test_late_events_and_bots_enter_no_measure_but_historical_ones_do() -> None:
    flags = [0, Flag.LATE, Flag.BOT, Flag.HISTORICAL, Flag.LATE | Flag.HISTORICAL]
    rows = [event(str(flag), flags=int(flag)) for flag in flags]
    assert measured(frame(rows))["message_id"].to_list() == [str(0), str(Flag.HISTORICAL)]


def test_the_day_begins_at_midnight_of_the_business_not_of_utc() -> None:
    last = datetime(2026, 11, 21, 2, 59, 59, 999_999, tzinfo=UTC)  # 23:59 in Sao Paulo, UTC-3
    days = facts_of([event("a", at=last), event("b", at=last + timedelta(microseconds=1))])["day"]
    assert days.to_list() == [date(2026, 11, 20), date(2026, 11, 21)]


def test_the_day_follows_the_summer_time_that_brazil_had() -> None:
    # From 2018-11-04 clocks in Sao Paulo stood at UTC-2 (IANA tzdata): 02:00 UTC is midnight, no longer 23:00.
    at = datetime(2018, 11, 10, 2, 0, tzinfo=UTC)
    assert facts_of([event("a", at=at)])["day"].item() == date(2018, 11, 10)


def test_margin_counts_only_orders_whose_value_and_cost_are_known() -> None:
    rows = [purchase("a", 1000, 600), purchase("b", 500), purchase("c", None, 300)]
    sums = facts_of(rows).select("orders", "value_cents", "costed_value_cents", "cost_cents").sum().row(0)
    assert sums == (3, 1500, 1000, 600)


def test_a_flagged_or_foreign_value_is_an_order_without_money() -> None:
    rows = [purchase("a", 1000, 600, currency="USD"), purchase("b", 500, 1, flags=int(Flag.VALUE_FLAGGED))]
    sums = facts_of(rows).select("orders", "value_cents", "costed_value_cents", "cost_cents").sum().row(0)
    assert sums == (2, 0, 0, 0)


def test_a_value_without_a_currency_is_in_the_reporting_one() -> None:
    assert facts_of([purchase("a", 1000, currency=None)])["value_cents"].item() == 1000


@pytest.mark.parametrize("name", ["message_sent", "personalization_delivered", "support_ticket_opened", "refund"])
def test_what_servers_send_is_told_from_what_people_do(name: str) -> None:
    rows = facts_of([event("a", name), event("b")])
    assert rows["is_client"].to_list() == [False, True]


def test_an_order_is_its_transaction_or_itself() -> None:
    rows = [purchase("a", 1, transaction_id="t"), purchase("t", 1), purchase("b", 1, transaction_id="t")]
    keys = frame(rows).select(rollups.order_key()).to_series().to_list()
    assert keys[0] == keys[2] != keys[1]
