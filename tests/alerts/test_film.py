from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from cockpit.alerts.film import PIECES, Film, extremes
from cockpit.alerts.machine import Reading
from cockpit.alerts.world import Span
from tests.alerts.rounds import file_of, rule_of
from tests.alerts.shop import DAY, HOUR, MINUTE
from tests.warehouse_events import NOON

WEEK = Span(NOON, NOON + 7 * DAY)


def points_of(*values: float | None) -> list[tuple[datetime, float | None]]:
    return [(NOON + number * MINUTE, value) for number, value in enumerate(values)]


@given(st.lists(st.none() | st.floats(0, 1), max_size=20))
def test_of_a_piece_the_lowest_and_the_highest_are_kept_in_the_order_of_time(values: list[float | None]) -> None:
    seen = points_of(*values)
    kept = extremes(seen)
    assert kept == sorted(kept, key=lambda point: point[0])
    assert set(kept) <= set(seen)
    known = [value for value in values if value is not None]
    left = [value for _, value in kept if value is not None]
    assert len(kept) <= 2
    assert (min(left, default=None), max(left, default=None)) == (min(known, default=None), max(known, default=None))


def test_a_week_of_minutes_is_a_line_that_can_be_drawn_and_its_peak_is_in_it() -> None:
    rule = rule_of(every=MINUTE)
    film = Film(file_of(rule), WEEK)
    at = WEEK.start
    for number in range(7 * 24 * 60):
        value = 9.0 if number == 5000 else number % 3 / 10
        film.turn(at, [(rule, {("site",): Reading(at=at, value=value, count=90)})])
        at += MINUTE
    (line,) = film.lines(rule)
    assert len(line.points) == 2 * PIECES
    assert (WEEK.start + 5000 * MINUTE, 9.0) in line.points


def test_where_nothing_was_read_the_line_has_a_gap_and_too_few_are_no_value() -> None:
    rule = rule_of(every=MINUTE, min_count=10)
    film = Film(file_of(rule), WEEK)
    for hours, count in ((0, 90), (2, 90), (12, 90), (24, 5)):
        at = NOON + hours * HOUR
        film.turn(at, [(rule, {("site",): Reading(at=at, value=0.1, count=count)})])
    (line,) = film.lines(rule)
    assert [(at - NOON, value) for at, value in line.points] == [
        (0 * HOUR, 0.1), (MINUTE, None),
        (2 * HOUR, 0.1), (2 * HOUR + MINUTE, None),
        (12 * HOUR, 0.1), (12 * HOUR + MINUTE, None),
        (24 * HOUR, None),
    ]  # fmt: skip
