from hypothesis import given
from hypothesis import strategies as st

from ingest.gateway.batcher import Batcher, Limits

LIMITS = Limits(
    max_events=10, max_age_s=1.0, quiet_s=0.25, crowded_events=20, max_waiting_events=30, max_waiting_bytes=1_000
)


def test_nothing_is_due_while_there_is_nothing() -> None:
    batcher: Batcher[str] = Batcher(LIMITS)
    assert batcher.is_idle
    assert batcher.due_in(5.0) is None


def test_a_batch_is_due_when_nothing_new_comes_or_it_is_old_or_full() -> None:
    batcher: Batcher[str] = Batcher(LIMITS)
    batcher.add("a", 1, 10, now=0.0)
    assert batcher.due_in(0.0) == 0.25
    batcher.add("b", 1, 10, now=0.125)
    assert batcher.due_in(0.125) == 0.25
    for at in (0.25, 0.5, 0.75):
        batcher.add("c", 1, 10, now=at)
    assert batcher.due_in(0.75) == 0.25
    assert batcher.due_in(0.875) == 0.125
    assert batcher.due_in(2.0) == 0.0
    batcher.add("full", 8, 10, now=0.875)
    assert batcher.due_in(0.875) == 0.0


def test_the_next_batch_fills_while_one_is_away_and_goes_when_it_is_settled() -> None:
    batcher: Batcher[str] = Batcher(LIMITS)
    batcher.add("a", 1, 10, now=0.0)
    assert batcher.take() == ["a"]
    assert batcher.add("b", 1, 10, now=0.1)
    assert batcher.due_in(9.0) is None
    assert not batcher.is_idle
    batcher.settled()
    assert batcher.due_in(9.0) == 0.0
    assert batcher.take() == ["b"]
    batcher.settled()
    assert batcher.is_idle


def test_what_has_no_room_is_refused_until_something_is_settled() -> None:
    batcher: Batcher[str] = Batcher(LIMITS)
    assert batcher.add("a", 20, 10, now=0.0)
    assert batcher.is_crowded
    batcher.take()
    assert batcher.add("b", 10, 10, now=0.0)
    assert not batcher.add("c", 1, 10, now=0.0)
    batcher.settled()
    assert batcher.add("c", 1, 980, now=0.0)
    assert not batcher.add("too many bytes", 1, 11, now=0.0)


@given(st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=40))
def test_everything_taken_in_is_given_back_once_and_in_order(steps: list[tuple[int, bool]]) -> None:
    batcher: Batcher[int] = Batcher(LIMITS)
    accepted: list[int] = []
    taken: list[int] = []
    is_away = False
    for number, (events, moves) in enumerate(steps):
        if batcher.add(number, events, 1, now=float(number)):
            accepted.append(number)
        if moves and is_away:
            batcher.settled()
            is_away = False
        elif moves and batcher.due_in(float(number)) is not None:
            taken += batcher.take()
            is_away = True
    if is_away:
        batcher.settled()
    while not batcher.is_idle:
        taken += batcher.take()
        batcher.settled()
    assert taken == accepted


def test_a_batch_is_about_as_large_as_it_may_be() -> None:
    batcher: Batcher[int] = Batcher(LIMITS)
    for number in range(5):
        batcher.add(number, 4, 10, now=0.0)
    assert batcher.take() == [0, 1, 2]
    batcher.settled()
    assert batcher.due_in(0.0) == 0.25
    assert batcher.take() == [3, 4]
