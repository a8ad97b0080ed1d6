"""Days and instants as people read them: `22/11/2026`, `22 Nov 2026`, with the hour by the business clock."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from cockpit.i18n.format import MISSING, SPACE
from cockpit.i18n.translate import translate


def day(value: date | None, language: str) -> str:
    if value is None:
        return MISSING
    months = translate("calendar.short_months", language).split()
    return value.strftime(translate("calendar.date", language).replace("%b", months[value.month - 1]))


def instant(at: datetime | None, language: str, zone: ZoneInfo) -> str:
    """To the minute."""
    if at is None:
        return MISSING
    here = at.astimezone(zone)
    return f"{day(here.date(), language)}{SPACE}{here:%H:%M}"
