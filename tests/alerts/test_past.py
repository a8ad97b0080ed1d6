from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from cockpit.alerts.metrics import ALERT_METRICS, OfKpi, Read
from cockpit.alerts.past import MINUTES, PARTS, Past, Rerun, moving
from cockpit.alerts.world import Span, Split, Table, Values, World
from cockpit.events.frame import INSTANT
from cockpit.kpis.formula import Sum
from cockpit.store.alert_past import COLUMNS
from cockpit.store.database import Database
from cockpit.store.reader import READS
from cockpit.store.tiers import Ages, coarsen
from tests.alerts.past_reads import Asked
from tests.alerts.shop import DAY, HOUR, MINUTE, SECOND, ZONE, Shop, delivered, failed, said
from tests.warehouse_events import NOON, Row, action, event, refusal, refusals

WINDOWED = ("alert_events", "alert_latencies", "alert_intake", "alert_consents")
AGES = Ages(timedelta(hours=48), timedelta(days=90))
MIDNIGHT = NOON.replace(hour=0)  # of UTC, in the middle of everything: where one day's answers end
KPIS = sorted({metric.of for metric in ALERT_METRICS.values() if isinstance(metric.of, OfKpi)}, key=str)


def rows_around(at_random: Random) -> Iterator[Row]:
    """Three hours of deliveries with and without what caused them, failures, late events, and what people agree to."""
    for number in range(400):
        at = MIDNIGHT + at_random.randrange(-5400, 5400) * SECOND
        about: dict[str, Any] = {
            "channel": at_random.choice(["site", "whatsapp", None]),
            "use_case": at_random.choice(["cart", "churn", None]),
            "flags": at_random.choice([0, 0, 0, 1]),
        }
        match at_random.randrange(6):
            case 0:
                yield event(f"m{number}", at=at, **about)
            case 1:
                yield event(f"t{number}", at=at - at_random.randrange(90) * SECOND)
                yield action(f"m{number}", f"t{number}", at=at, **about)
            case 2:
                yield failed(f"m{number}", at=at, **about)
            case 3:
                yield delivered(f"m{number}", at=at, reason="fallback", **about)
            case 4:
                yield event(f"m{number}", "message_unsubscribed", at=at, **about)
            case _:
                yield said(f"m{number}", at_random.choice(["true", "false"]), at=at)


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    with Database.open(None) as database:
        shop = Shop(database)
        rows = list(rows_around(Random(1)))
        shop.take(*rows, *rows[:40])
        shop.log.append([refusals([refusal("bad_json", at=MIDNIGHT + number * MINUTE)]) for number in range(5)], NOON)
        while shop.consumer.step():
            pass
        yield Asked(database)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    """Of whole minutes."""
    end = MIDNIGHT + draw(st.integers(-100, 100)) * MINUTE
    return Span(end - draw(st.integers(1, 120)) * MINUTE, end)


def same(one: pl.DataFrame, other: pl.DataFrame) -> None:
    assert_frame_equal(one, other, check_row_order=False)


def sums_of(rows: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return rows.group_by(columns).agg(pl.col("events").sum())


@settings(max_examples=12)
@given(span=spans())
def test_a_window_is_answered_as_the_read_itself_answers(asked: Asked, span: Span) -> None:
    past = Past(asked, COLUMNS)
    for name in WINDOWED:
        same(past(name, start=span.start, end=span.end), asked(name, start=span.start, end=span.end))


def test_the_warehouse_knows_all_that_a_replay_asks() -> None:
    assert {*PARTS.values(), *MINUTES.values(), "alert_kept", "alert_since"} <= READS.keys()


def test_days_are_asked_for_once_however_many_windows_are_looked_at(asked: Asked) -> None:
    past = Past(asked, COLUMNS)
    asked.names.clear()
    for number in range(60):
        past("alert_events", start=MIDNIGHT - 30 * MINUTE + number * MINUTE, end=MIDNIGHT + number * MINUTE)
    assert asked.names == ["alert_event_parts"] * 2
    past("alert_since")
    past("alert_since")
    assert asked.names[2:] == ["alert_since"]


def test_what_is_not_told_apart_is_added_up(asked: Asked) -> None:
    window = {"start": MIDNIGHT - HOUR, "end": MIDNIGHT + HOUR}
    few, every = Past(asked, ["channel"])("alert_events", **window), asked("alert_events", **window)
    assert few.height < every.height
    assert few["use_case"].null_count() == few.height
    same(sums_of(few, "channel", "name", "reason"), sums_of(every, "channel", "name", "reason"))


def test_the_minutes_that_are_counted_again_are_those_of_the_measures(asked: Asked) -> None:
    window = {"start": MIDNIGHT - 2 * HOUR, "end": MIDNIGHT + 2 * HOUR}
    again = asked("alert_event_minutes", **window)
    same(again, asked("alert_event_parts", **window))
    assert again.height > 100


def test_minutes_that_have_become_hours_are_counted_again_and_the_hours_are_still_right() -> None:
    with Database.open(None) as database:
        asked = Asked(database)
        shop = Shop(database)
        shop.take(*rows_around(Random(2)))
        window = {"start": MIDNIGHT - 2 * HOUR, "end": MIDNIGHT + 2 * HOUR}
        minutes = asked("alert_event_minutes", **window)
        assert coarsen(database, ZONE, AGES, NOON + 4 * DAY) == 1
        same(asked("alert_event_minutes", **window), minutes)
        past = Past(asked, COLUMNS)
        hour = {"start": MIDNIGHT - HOUR, "end": MIDNIGHT}
        assert set(past.parts("alert_event_parts", Span(*window.values()))["began_at"].dt.minute()) == {0}
        same(past("alert_events", **hour), asked("alert_events", **hour))
        assert past("alert_events", **hour)["events"].sum() == minutes.filter(
            pl.col("began_at").is_between(hour["start"], hour["end"], closed="left")
        )["events"].sum()  # fmt: skip


def flat(table: Table) -> tuple[dict[tuple[Values, Values], int | None], dict[tuple[Values, Values], float | None]]:
    """Counts and values by labels. Values to 12 digits: a column's power of 1.02 and a number's differ in the last."""
    found = {(where, by): sample for where, samples in table.items() for by, sample in samples.items()}
    values = {key: sample.value and float(f"{sample.value:.12g}") for key, sample in found.items()}
    return {key: sample.n for key, sample in found.items()}, values


SPLITS = (Split(()), Split(("channel",)), Split(("use_case",), ("channel",)))


@settings(max_examples=40)
@given(of=st.sampled_from(KPIS), span=spans(), split=st.sampled_from(SPLITS))
def test_a_kpi_computed_for_a_day_at_once_is_what_is_seen_window_by_window(
    asked: Asked, of: OfKpi, span: Span, split: Split
) -> None:
    world, rerun = both(asked)
    of_read = Split(("source",) if split.by else ()) if of.read is Read.INTAKE else split
    assert flat(rerun.samples(of, span, of_read)) == flat(world.samples(of, span, of_read))


@settings(max_examples=15)
@given(summed=st.sampled_from([Sum(("events",)), Sum(("delivered",))]), span=spans(), split=st.sampled_from(SPLITS))
def test_counts_and_what_is_expected_are_those_seen_window_by_window(
    asked: Asked, summed: Sum, span: Span, split: Split
) -> None:
    world, rerun = both(asked)
    assert rerun.counts(summed, span, split) == world.counts(summed, span, split)
    assert rerun.expected(summed, span, split) == world.expected(summed, span, split)


def both(asked: Asked) -> tuple[World, Rerun]:
    world, rerun = World(asked, ZONE), Rerun(Past(asked, ["channel", "use_case"]), ZONE)
    for each in (world, rerun):
        each.turn(NOON, {})
    return world, rerun


def test_a_window_moves_by_the_minute_and_leaves_out_where_there_was_nothing() -> None:
    # 1 in the first minute, 2 in the fourth: windows of two minutes that end at the second to the sixth.
    sums = pl.DataFrame(
        {"began_at": [NOON, NOON + 3 * MINUTE], "channel": ["site"] * 2, "events": [1, 2], "rows": [1, 1]},
        schema_overrides={"began_at": INSTANT},
    )
    found = moving(sums, ("channel",), Span(NOON + 2 * MINUTE, NOON + 7 * MINUTE), 2 * MINUTE)
    ends = [(end - NOON) // MINUTE for end in found["window"]]
    assert list(zip(ends, found["events"], strict=True)) == [(2, 1), (4, 2), (5, 2)]
    everything = moving(sums.drop("channel"), (), Span(NOON + 2 * MINUTE, NOON + 7 * MINUTE), 2 * MINUTE)
    assert everything["events"].to_list() == [1, 0, 2, 2, 0]
