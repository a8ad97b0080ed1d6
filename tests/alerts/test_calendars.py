"""Edge 16 of alerts.md: summer time. Brazil had it until 2019: it began on 2018-11-04, when 0:00 became 1:00."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cockpit.alerts.calendars import Calendar

BUSINESS = Calendar(days=("mon", "tue", "wed", "thu", "fri"), start=time(9), end=time(18))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def minutes_covered(calendar: Calendar, start: datetime, end: datetime) -> int:
    count = (end - start) // timedelta(minutes=1)
    return sum(calendar.covers(start + index * timedelta(minutes=1)) for index in range(count))


def test_business_hours_are_those_of_the_clock_on_the_wall() -> None:
    assert [
        BUSINESS.covers(utc(2026, 11, 24, hour, minute)) for hour, minute in [(11, 59), (12, 0), (20, 59), (21, 0)]
    ] == [
        False,
        True,
        True,
        False,
    ]


def test_business_hours_moved_with_summer_time() -> None:
    assert BUSINESS.covers(utc(2018, 11, 1, 12, 0))  # Thursday before: 9:00 at UTC-3
    assert BUSINESS.covers(utc(2018, 11, 5, 11, 0))  # Monday after: 9:00 at UTC-2
    assert not BUSINESS.covers(utc(2018, 11, 1, 11, 0))
    assert not BUSINESS.covers(utc(2018, 11, 5, 20, 0))  # 18:00


def test_the_night_on_which_summer_time_began_is_an_hour_shorter() -> None:
    night = Calendar(start=time(22), end=time(6))
    assert minutes_covered(night, utc(2018, 11, 3, 12), utc(2018, 11, 4, 12)) == 7 * 60
    assert minutes_covered(night, utc(2018, 10, 27, 12), utc(2018, 10, 28, 12)) == 8 * 60


def test_an_hour_that_the_clock_skipped_is_not_covered() -> None:
    assert minutes_covered(Calendar(end=time(1)), utc(2018, 11, 4), utc(2018, 11, 5)) == 0


def test_an_hour_that_the_clock_repeated_is_covered_twice() -> None:
    last_hour = Calendar(days=("sat",), start=time(23))
    assert minutes_covered(last_hour, utc(2018, 2, 17, 12), utc(2018, 2, 18, 12)) == 2 * 60


def test_hours_past_midnight_belong_to_the_day_they_began_on() -> None:
    friday_night = Calendar(days=("fri",), start=time(22), end=time(6), zone="UTC")
    assert friday_night.covers(utc(2026, 11, 28, 5, 59))  # Saturday
    assert not friday_night.covers(utc(2026, 11, 27, 5, 59))  # Friday


def test_a_holiday_is_not_covered() -> None:
    christmas = Calendar(days=BUSINESS.days, start=time(9), end=time(18), holidays=(date(2026, 12, 25),))
    assert not christmas.covers(utc(2026, 12, 25, 15))
    assert christmas.covers(utc(2026, 12, 24, 15))


def test_a_calendar_without_hours_covers_its_whole_days() -> None:
    assert minutes_covered(Calendar(days=("sat",), zone="UTC"), utc(2026, 11, 23), utc(2026, 11, 30)) == 24 * 60
    assert Calendar().never_ends
    assert not Calendar(days=("sat",)).never_ends


@given(st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_whoever_is_outside_is_not_inside(at: datetime) -> None:
    night = Calendar(days=BUSINESS.days, start=time(18), end=time(9))
    assert not (BUSINESS.covers(at) and night.covers(at))
