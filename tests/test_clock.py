from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from cockpit.clock import business_day, day_bounds, from_us, to_us

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(INSTANTS)
def test_microseconds_make_the_round_trip(instant: datetime) -> None:
    assert from_us(to_us(instant)) == instant


@given(INSTANTS)
def test_an_instant_lies_in_the_bounds_of_its_business_day(instant: datetime) -> None:
    start, end = day_bounds(business_day(instant, SAO_PAULO), SAO_PAULO)
    assert start <= instant < end


def test_the_day_that_summer_time_began_had_23_hours() -> None:
    """Brazil, 4 November 2018 (Decreto 9.242/2017): 00:00 became 01:00."""
    start, end = day_bounds(date(2018, 11, 4), SAO_PAULO)
    assert end - start == timedelta(hours=23)
