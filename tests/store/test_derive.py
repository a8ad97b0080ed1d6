from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.config import Config
from cockpit.store.database import Database
from cockpit.store.derive import Derivation, Span
from ingest.warehouse.consumer import Consumer
from tests.store.contents import assert_same, contents
from tests.warehouse_events import NOON, ListLog, Row, draft, event, purchase, streams

ZONE = ZoneInfo("America/Sao_Paulo")
DERIVED = ("day_measures", "day_histograms", "people", "repurchases", "cohorts", "customers")
TODAY = date(2026, 11, 20)
LATER = NOON + timedelta(days=3)


def taken_in(batches: Sequence[Sequence[Row]], *, derive_each: bool) -> dict[str, pl.DataFrame]:
    """The derived tables after one derivation at the end, or after one more behind each batch."""
    log = ListLog()
    with Database.open(None) as database:
        consumer, derivation = Consumer(log, database, Config(), lambda: NOON), Derivation(database, ZONE)
        for batch in batches:
            log.append([draft(batch)], NOON)
            while consumer.step():
                pass
            if derive_each:
                derivation.run(LATER)
        derivation.run(LATER)
        assert not derivation.is_due()
        found = contents(database)
    return {table: found[table] for table in DERIVED}


@st.composite
def meetings(draw: st.DrawFn) -> list[list[Row]]:
    """Streams in which now and then an anonymous profile turns out to be a known one."""
    batches = draw(streams())
    for place, batch in enumerate(batches):
        if draw(st.booleans()):
            user = draw(st.sampled_from(["1", "2"]))
            batch.append(event(f"login {place}", "login", user_id=user, anonymous_id="3", profile_id=f"u:{user}"))
    return batches


@settings(max_examples=3)
@given(meetings(), st.randoms(use_true_random=False))
def test_what_is_derived_depends_on_the_events_not_on_when_they_came_or_were_derived(
    batches: list[list[Row]], dice: st.DataObject
) -> None:
    unique = {(row["source"], row["message_id"]): row for batch in batches for row in batch}
    rows = [{**row, "trigger_id": None, "transaction_id": None} for row in unique.values()]
    once = taken_in([rows] if rows else [], derive_each=False)
    dice.shuffle(rows)  # type: ignore[attr-defined]  # Hypothesis' Random
    assert_same(taken_in([part for part in (rows[::2], rows[1::2]) if part], derive_each=True), once)


def test_a_late_event_makes_its_day_be_computed_again_and_that_is_on_record() -> None:
    log = ListLog()
    with Database.open(None) as database:
        consumer, derivation = Consumer(log, database, Config(), lambda: NOON), Derivation(database, ZONE)

        def take(*rows: Row) -> list[tuple[str, Span]]:
            log.append([draft(rows)], NOON)
            consumer.step()
            return derivation.run(NOON).spans

        take(event("a"), event("b", at=NOON - timedelta(days=5)))
        again = take(event("late", at=NOON - timedelta(days=4)))
        of_that_day = Span(TODAY - timedelta(4), TODAY - timedelta(4))
        assert ("nps", of_that_day) in again
        assert ("sessions", Span(TODAY - timedelta(5), TODAY - timedelta(3))) in again
        lines = database._connection.sql("FROM cockpit.recomputations").pl().filter(family="nps", position=2)
        assert of_that_day in lines.select("first_day", "last_day").rows()


def test_a_day_without_a_change_is_not_computed_again() -> None:
    log = ListLog()
    with Database.open(None) as database:
        consumer, derivation = Consumer(log, database, Config(), lambda: NOON), Derivation(database, ZONE)
        log.append([draft([event("old", at=NOON - timedelta(days=60)), event("new")])], NOON)
        consumer.step()
        derivation.run(NOON)
        log.append([draft([event("newer", at=NOON + timedelta(minutes=1))])], NOON)
        consumer.step()
        first_days = {family: span.first for family, span in reversed(derivation.run(NOON).spans)}
    assert first_days["people"] == TODAY
    assert first_days["sessions"] == TODAY - timedelta(1)
    assert first_days["carts"] == TODAY - timedelta(16)  # a cart of then may still be recovered


def test_an_order_of_a_profile_that_is_merged_later_moves_its_cohort() -> None:
    first = purchase("p", 100, at=NOON - timedelta(days=40), profile_id="a:3", transaction_id="t1")
    second = purchase("q", 200, at=NOON - timedelta(days=20), profile_id="u:1", transaction_id="t2")
    merge = event("login", "login", at=NOON, user_id="1", anonymous_id="3")

    def cohorts(*batches: list[Row]) -> list[tuple[object, ...]]:
        measures = taken_in(batches, derive_each=True)["day_measures"]
        chosen = measures.filter(pl.col("measure").is_in(["new_buyers", "repurchased_30d"]))
        return chosen.select("day", "measure", "value").rows()

    days = (TODAY - timedelta(40), TODAY - timedelta(20))
    assert cohorts([first, second]) == [(day, "new_buyers", 1) for day in days]
    assert cohorts([first, second], [merge]) == [(days[0], "new_buyers", 1), (days[0], "repurchased_30d", 1)]


def test_an_empty_database_derives_nothing() -> None:
    with Database.open(None) as database:
        Consumer(ListLog(), database, Config(), lambda: NOON)
        assert Derivation(database, ZONE).run(NOON).spans == []
        assert contents(database)["people"].is_empty()
