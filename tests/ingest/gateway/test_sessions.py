from hypothesis import given
from hypothesis import strategies as st

from ingest.gateway.sessions import REMEMBERED, Session, Sessions


@given(st.permutations(range(5, 15)), st.integers(0, 10))
def test_last_committed_has_no_hole_before_it(order: list[int], count: int) -> None:
    session: Session[None] = Session()
    session.begin(5)
    done = order[:count]
    for seq in done:
        session.committed(seq)
    expected = next(seq for seq in range(5, 16) if seq not in done) - 1
    assert session.last_committed == expected


def test_a_session_is_kept_across_connections_and_apart_per_source() -> None:
    sessions: Sessions[None] = Sessions()
    sessions.open("shop", "s-1").committed(1)
    assert sessions.open("shop", "s-1").last_committed == 1
    assert sessions.open("site", "s-1").last_committed is None


def test_the_memory_of_sessions_is_bounded() -> None:
    sessions: Sessions[None] = Sessions()
    sessions.open("shop", "old").committed(1)
    for number in range(REMEMBERED):
        sessions.open("shop", str(number))
    assert sessions.open("shop", "old").last_committed is None


def test_a_client_that_skips_numbers_learns_less_but_nothing_wrong() -> None:
    session: Session[None] = Session()
    session.begin(1)
    for seq in range(2, 5_000):
        session.committed(seq)
    assert session.last_committed == 0
