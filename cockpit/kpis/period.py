"""A period of business days and the one before it; how a KPI changed from one to the other.

Law: unknown on either side is an unknown change, never 0.
"""

from datetime import date, timedelta
from enum import StrEnum

import msgspec

from cockpit.errors import CallerError
from cockpit.kpis.kpi import Better, Kpi, Unit


class Period(msgspec.Struct, frozen=True):
    """Business days, both ends included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise CallerError(f"a period does not end ({self.last}) before it begins ({self.first})")

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def previous(period: Period) -> Period:
    """As many days, ending the day before."""
    length = timedelta(days=period.days)
    return Period(period.first - length, period.last - length)


class Kind(StrEnum):
    RELATIVE = "relative"  # 0.1 is 10 % more
    POINTS = "points"  # 0.01 is one percentage point
    ABSOLUTE = "absolute"  # in the KPI's own unit


class Change(msgspec.Struct, frozen=True):
    value: float
    kind: Kind


KINDS = {Unit.SHARE: Kind.POINTS, Unit.POINTS: Kind.ABSOLUTE}


def change(kpi: Kpi, now: float | None, before: float | None) -> Change | None:
    """Shares change by percentage points, NPS by points, everything else in proportion.

    None when either side is unknown, when there was nothing to be in proportion to (0 or, for a margin, less), and for
    classes.
    """
    if now is None or before is None or kpi.unit is Unit.CLASS:
        return None
    kind = KINDS.get(kpi.unit, Kind.RELATIVE)
    if kind is not Kind.RELATIVE:
        return Change(now - before, kind)
    return Change(now / before - 1, kind) if before > 0 else None


def is_better(kpi: Kpi, changed: Change | None) -> bool | None:
    """None when it is unknown, did not move, or has no good direction."""
    if changed is None or changed.value == 0 or kpi.better is Better.NEITHER:
        return None
    return (changed.value > 0) == (kpi.better is Better.HIGHER)
