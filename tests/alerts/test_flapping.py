from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cockpit.alerts.flapping import MOST, SPAN, is_flapping, with_change
from tests.alerts.rounds import START


def test_five_changes_within_exactly_half_an_hour_are_flapping() -> None:
    changes = tuple(START + timedelta(minutes=7.5 * number) for number in range(5))
    assert is_flapping(changes, changes[-1])
    assert not is_flapping(changes, changes[-1] + timedelta(microseconds=1))


@given(st.lists(st.integers(0, 7200), max_size=40).map(sorted))
def test_few_remembered_changes_say_the_same_as_all_of_them(offsets: list[int]) -> None:
    remembered: tuple[datetime, ...] = ()
    for index, offset in enumerate(offsets):
        at = START + timedelta(seconds=offset)
        remembered = with_change(remembered, at)
        recent = [each for each in offsets[: index + 1] if at - (START + timedelta(seconds=each)) <= SPAN]
        assert is_flapping(remembered, at) == (len(recent) > MOST)
        assert len(remembered) <= MOST + 1
