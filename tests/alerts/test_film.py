from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.alerts.conditions import read_condition
from cockpit.alerts.film import PIECES, Film, Point
from cockpit.alerts.machine import Reading
from cockpit.alerts.world import Span
from tests.alerts.rounds import file_of, rule_of
from tests.alerts.shop import DAY, HOUR, MINUTE
from tests.warehouse_events import NOON

WEEK = Span(NOON, NOON + 7 * DAY)


def lived(fire: str, *values: float | None) -> tuple[Point, ...]:
    """The line of a minute's values each."""
    rule = rule_of(every=MINUTE, fire=read_condition(fire))
    film = Film(file_of(rule), WEEK)
    for number, value in enumerate(values):
        at = NOON + number * MINUTE
        film.turn(at, [(rule, {("site",): Reading(at=at, value=value, count=90)})])
    (line,) = film.lines(rule)
    return line.points


@settings(max_examples=30)
@given(st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=30))
def test_of_a_piece_the_worst_value_is_kept_whichever_way_is_bad(values: list[float | None]) -> None:
    known = [value for value in values if value is not None]  # half an hour is one piece of a week
    assert [value for _, value in lived("> 5", *values)] == [max(known, default=None)]
    assert [value for _, value in lived("< -5", *values)] == [min(known, default=None)]


def test_a_week_of_minutes_is_a_line_that_can_be_drawn_and_its_peak_is_in_it() -> None:
    points = lived("> 99", *(9.0 if number == 5000 else number % 3 / 10 for number in range(7 * 24 * 60)))
    assert len(points) == PIECES
    assert (WEEK.start + 5000 * MINUTE, 9.0) in points


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
