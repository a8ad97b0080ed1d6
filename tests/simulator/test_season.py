from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.clock import to_us
from cockpit.simulator import season

ZONE = ZoneInfo("America/Sao_Paulo")
MONDAY = datetime(2026, 11, 16, tzinfo=ZONE)


@given(st.integers(0, to_us(datetime(2040, 1, 1, tzinfo=UTC))), st.floats(0, 1))
def test_traffic_never_exceeds_its_peak_nor_falls_below_none(at_us: int, depth: float) -> None:
    assert 0 <= season.level(at_us, ZONE, depth) <= season.peak(depth)


def test_the_mean_of_a_week_is_one() -> None:
    minutes = [season.level(to_us(MONDAY + timedelta(minutes=minute)), ZONE, 1.0) for minute in range(7 * 24 * 60)]
    assert sum(minutes) / len(minutes) == pytest.approx(1.0, abs=0.001)


def test_evenings_are_busier_than_nights_in_local_time() -> None:
    evening = season.level(to_us(MONDAY.replace(hour=21)), ZONE, 1.0)
    night = season.level(to_us(MONDAY.replace(hour=4)), ZONE, 1.0)
    assert evening > 10 * night


def test_without_depth_there_is_no_season() -> None:
    assert {season.level(to_us(MONDAY + timedelta(hours=hour)), ZONE, 0.0) for hour in range(168)} == {1.0}
