"""Weekly hours by a wall clock, such as business hours. Law: the zone's own rules decide, never a fixed offset."""

from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BUSINESS_ZONE = "America/Sao_Paulo"


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """From `start` up to but not including `end` on `days`, except on `holidays`.

    An end that is not after the start is that of the next day, which then belongs to the day it began on. An hour that
    the clock skips is not covered, one that it repeats is covered twice: it is what people see on the wall.
    """

    days: tuple[Weekday, ...] = WEEK
    start: time = time(0)
    end: time = time(0)
    zone: str = BUSINESS_ZONE
    holidays: tuple[date, ...] = ()

    @property
    def never_ends(self) -> bool:
        return set(self.days) == set(WEEK) and self.start == self.end

    def covers(self, at: datetime) -> bool:
        """Of an aware instant."""
        here = at.astimezone(ZoneInfo(self.zone))
        day, clock = here.date(), here.time()
        if self.start < self.end:
            return self._has(day) and self.start <= clock < self.end
        begun_today = self._has(day) and clock >= self.start
        return begun_today or (self._has(day - timedelta(days=1)) and clock < self.end)

    def _has(self, day: date) -> bool:
        return WEEK[day.weekday()] in self.days and day not in self.holidays
