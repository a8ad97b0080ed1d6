from hypothesis import given
from hypothesis import strategies as st

from cockpit.simulator.tape import Tape


@given(st.lists(st.integers(0, 10**15)))
def test_what_is_written_in_any_order_is_read_in_order_of_time(instants: list[int]) -> None:
    tape = Tape("r")
    for at_us in instants:
        tape.track(at_us, {"userId": "u"}, "view_item", {})
    assert [one.at_us for one in tape.read(10**15 + 1)] == sorted(instants)


def test_the_future_stays_on_the_tape() -> None:
    tape = Tape("r")
    for at_us in (3, 1, 2):
        tape.track(at_us, {}, "view_item", {})
    assert [one.at_us for one in tape.read(3)] == [1, 2]
    assert [one.at_us for one in tape.read(4)] == [3]


def test_a_timestamp_is_iso_8601_in_milliseconds_and_utc() -> None:
    tape = Tape("r")
    tape.track(1_763_640_000_123_456, {}, "view_item", {})
    assert tape.read(2**62)[0].message["timestamp"] == "2025-11-20T12:00:00.123Z"
