from datetime import timedelta

import pytest

from cockpit.alerts.durations import read_duration
from cockpit.ui.alerts.preview import written


@pytest.mark.parametrize("seconds", [0, 30, 60, 90, 300, 5400])
def test_a_duration_is_written_as_a_rule_file_reads_it(seconds: int) -> None:
    assert read_duration(written(timedelta(seconds=seconds))) == timedelta(seconds=seconds)
    assert written(timedelta(minutes=5)) == "5m"
