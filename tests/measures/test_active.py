import zlib
from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cockpit.clock import to_us
from cockpit.measures.active import ActiveSessions
from tests.warehouse_events import NOON

WINDOW = timedelta(minutes=5)
sightings = st.lists(
    st.tuples(st.integers(0, 8), st.sampled_from([("site", "vip"), ("app", None)]), st.integers(-400, 0)), max_size=20
)


def saw(active: ActiveSessions, rows: list[tuple[int, tuple[str | None, str | None], int]]) -> None:
    groups = [group for _, group, _ in rows]
    active.saw(
        np.array([key for key, _, _ in rows], np.uint64),
        np.array([zlib.crc32(repr(group).encode()) for group in groups], np.uint64),
        groups.__getitem__,
        np.array([to_us(NOON + timedelta(seconds=age_s)) for *_, age_s in rows], np.int64),
        NOON,
    )


@given(st.lists(sightings, max_size=5))
def test_a_session_counts_once_where_it_was_last_seen_within_five_minutes(
    calls: list[list[tuple[int, tuple[str, str | None], int]]],
) -> None:
    active, last = ActiveSessions(), dict[int, tuple[int, set[tuple[str, str | None]]]]()
    for rows in calls:
        saw(active, list(rows))
        for key, group, age_s in rows:
            newest, groups = last.get(key, (-999, set()))
            last[key] = (
                (age_s, {group}) if age_s > newest else (newest, groups | {group} if age_s == newest else groups)
            )
    alive = [groups for age_s, groups in last.values() if age_s >= -300]
    counts = active.counts(NOON)
    assert sum(counts.values()) == len(alive)
    for group in (("site", "vip"), ("app", None)):
        certain, possible = sum(groups == {group} for groups in alive), sum(group in groups for groups in alive)
        assert certain <= counts.get(group, 0) <= possible


def test_a_session_is_active_for_exactly_five_minutes() -> None:
    active = ActiveSessions()
    saw(active, [(1, ("site", None), 0)])
    assert active.counts(NOON + WINDOW) == {("site", None): 1}
    assert active.counts(NOON + WINDOW + timedelta(microseconds=1)) == {}


def test_who_expired_leaves_the_memory() -> None:
    active = ActiveSessions()
    saw(active, [(key, ("site", None), -299) for key in range(30_000)])
    saw(active, [(50_000, ("app", "vip"), 0)])
    assert active.counts(NOON + timedelta(seconds=10)) == {("app", "vip"): 1}
    assert len(active._directory) == 1
    assert active.counts(NOON + timedelta(seconds=10)) == {("app", "vip"): 1}


def test_history_leaves_no_trace() -> None:
    active = ActiveSessions()
    saw(active, [(1, ("site", None), -301)])
    assert len(active._directory) == 0
