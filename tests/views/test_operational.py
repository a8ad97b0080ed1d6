from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from cockpit.measures.histogram import RELATIVE_ERROR, bucket_of
from cockpit.views.operational import ALL, WINDOWS, Filters, history_of, load, without_history

NOW = datetime(2026, 11, 22, 18, 31, 40, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "minute": pl.Datetime("us"),
    "channel": pl.String,
    "name": pl.String,
    "events": pl.Int64,
    "bucket": pl.Int32,
    "actions": pl.Int64,
}
FIRST = datetime(2026, 11, 22, 18, 0)  # noqa: DTZ001 - the tables hold UTC without saying so
SECOND = FIRST + MINUTE
FOURTH = FIRST + 3 * MINUTE


def bucket(ms: float) -> int:
    return int(pl.select(bucket_of(pl.lit(int(ms * 1000)))).item())


def rows(*counted: tuple[datetime, str | None, str, int], latencies: tuple[Any, ...] = ()) -> pl.DataFrame:
    events = [(*row, None, None) for row in counted]
    actions = [(at, channel, None, None, bucket(ms), n) for at, channel, ms, n in latencies]
    return pl.DataFrame([*events, *actions], schema=ROWS, orient="row")


def test_events_are_counted_by_series_and_everything_in_total() -> None:
    history = history_of(
        rows(
            (FIRST, "site", "view_item", 5),
            (FIRST, "app", "view_item", 2),
            (FIRST, "app", "select_item", 1),
            (FIRST, "app", "select_promotion", 1),
            (FIRST, None, "loyalty_joined", 3),
            (SECOND, "site", "purchase", 1),
        ),
        ALL,
        step_minutes=1,
    )
    assert history.events["total"] == [12, 1]
    assert history.events["view_item"] == [7, 0]
    assert history.events["click"] == [2, 0]
    assert history.events["purchase"] == [0, 1]


def test_a_minute_without_a_row_is_not_there() -> None:
    history = history_of(rows((FIRST, "site", "search", 1), (FOURTH, "site", "search", 1)), ALL, step_minutes=1)
    starts = [int(at.replace(tzinfo=UTC).timestamp() * 1000) for at in (FIRST, FOURTH)]
    assert history.minutes == starts


def test_a_channel_that_was_silent_is_unknown_and_not_zero() -> None:
    history = history_of(rows((FIRST, "site", "search", 4), (SECOND, "app", "search", 9)), "app", step_minutes=1)
    assert history.events["search"] == [None, 9]


def test_a_step_of_several_minutes_is_drawn_per_minute() -> None:
    history = history_of(rows((FIRST, "site", "search", 12)), ALL, step_minutes=3)
    assert history.events["search"] == [4]
    assert history.step_ms == 180_000


def test_the_error_rate_is_failed_over_attempts_and_unknown_without_any() -> None:
    history = history_of(
        rows(
            (FIRST, "email", "personalization_delivered", 18),
            (FIRST, "email", "personalization_failed", 2),
            (FIRST, "push", "personalization_delivered", 20),
            (SECOND, "email", "personalization_suppressed", 7),
            (SECOND, None, "personalization_failed", 1),
        ),
        ALL,
        step_minutes=1,
    )
    assert history.error_rate["email"] == [0.1, None]
    assert history.error_rate["push"] == [0.0, None]
    assert history.error_rate["unknown"] == [None, 1.0]
    assert history.error == [0.05, 1.0]
    assert history.delivered == [38, 0]


def test_latencies_of_channels_are_merged_before_the_percentile_is_taken() -> None:
    """90 fast and 10 slow actions: the median is fast, p95 and p99 slow, whichever channel they came by."""
    frame = rows(latencies=((FIRST, "email", 100.0, 90), (FIRST, "push", 9000.0, 10)))
    merged = history_of(frame, ALL, step_minutes=1).quantiles
    assert merged["p50_ms"] == [pytest.approx(100, rel=2 * RELATIVE_ERROR)]
    assert merged["p95_ms"] == [pytest.approx(9000, rel=2 * RELATIVE_ERROR)]
    alone = history_of(frame, "email", step_minutes=1).quantiles
    assert alone["p99_ms"] == [pytest.approx(100, rel=2 * RELATIVE_ERROR)]


def test_nothing_gives_empty_lines() -> None:
    history = history_of(rows(), ALL, step_minutes=1)
    assert history.minutes == []
    assert set(map(tuple, history.events.values())) == {()}
    assert history.error_rate == {}


@pytest.mark.parametrize("window", WINDOWS)
def test_a_window_has_at_most_600_points_and_ends_with_the_running_minute(window: str) -> None:
    asked: dict[str, Any] = {}

    def reads(name: str, **params: object) -> pl.DataFrame:
        asked.update(params, name=name)
        return rows()

    view = load(reads, Filters(window=window), NOW)
    start, end = (datetime.fromisoformat(str(asked[name])) for name in ("start", "end"))
    assert asked["name"] == "operational_minutes"
    assert end == NOW.replace(second=0, microsecond=0) + MINUTE
    assert WINDOWS[window].length <= end - start < WINDOWS[window].length + WINDOWS[window].step_minutes * MINUTE
    assert (end - start) / (MINUTE * asked["step_minutes"]) <= 600
    assert view.end_ms == int(NOW.timestamp() * 1000)


def test_without_an_answer_there_is_a_view_without_history() -> None:
    assert without_history(Filters(), NOW).history is None
