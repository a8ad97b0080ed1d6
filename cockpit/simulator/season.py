"""How busy the shop is by hour of the day and day of the week, in its own time zone."""

from datetime import tzinfo

from cockpit.clock import from_us

# A shop's day: asleep before dawn, a peak at lunch, the highest in the evening. Ours, by eye; the mean is 1.
# fmt: off
HOURS = (
    0.55, 0.32, 0.20, 0.14, 0.13, 0.20, 0.42, 0.68, 0.92, 1.08, 1.18, 1.26,
    1.34, 1.28, 1.22, 1.20, 1.22, 1.28, 1.38, 1.62, 1.86, 1.92, 1.60, 1.00,
)
# fmt: on
WEEKDAYS = (1.06, 1.04, 1.02, 1.02, 1.06, 0.90, 0.90)  # Monday first

PEAK = max(HOURS) * max(WEEKDAYS)


def level(at_us: int, zone: tzinfo, depth: float) -> float:
    """Traffic relative to the mean of the week, interpolated between full hours; `depth` 0 is always 1."""
    local = from_us(at_us).astimezone(zone)
    here, there = HOURS[local.hour], HOURS[(local.hour + 1) % 24]
    hour = here + (there - here) * (local.minute * 60 + local.second) / 3600
    return 1 + depth * (hour * WEEKDAYS[local.weekday()] - 1)


def peak(depth: float) -> float:
    """A bound that `level` never exceeds."""
    return 1 + depth * (PEAK - 1)
