"""Time as an argument. The library never reads a clock; the processes hand one in."""

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    def __call__(self) -> datetime:
        """Now, aware, in UTC."""
        ...


def system_clock() -> datetime:
    return datetime.now(UTC)


def to_us(instant: datetime) -> int:
    """Whole microseconds since 1970, without the rounding of a float."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def from_us(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def business_day(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day in the business time zone; never a fixed offset (Brazil had summer time until 2019)."""
    return instant.astimezone(zone).date()


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """First instant of the business day and first instant of the next, in UTC."""
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = day + timedelta(days=1)
    end = datetime(following.year, following.month, following.day, tzinfo=zone)
    return start.astimezone(UTC), end.astimezone(UTC)
