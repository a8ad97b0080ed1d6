import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from cockpit.measures.keys import Hasher, KeyIndex, Keys

# Few words, so that keys meet, and share one word but not the other.
words = st.integers(0, 3)
asked = st.lists(st.tuples(words, words), max_size=12)
days = st.integers(0, 1)


def columns(keys: list[tuple[int, int]]) -> Keys:
    high, low = zip(*keys, strict=True) if keys else ((), ())
    return Keys(np.array(high, np.uint64), np.array(low, np.uint64))


@given(st.lists(st.tuples(asked, st.integers(0, 9)), max_size=12), st.integers(1, 3))
def test_the_index_answers_as_a_dict_with_days_does(calls: list[tuple[list[tuple[int, int]], int]], kept: int) -> None:
    index, model, newest = KeyIndex(kept), dict[tuple[int, int], tuple[int, int]](), 0
    for turn, (keys, day) in enumerate(calls):
        day = max(day, newest - 1)  # noqa: PLW2901 - a clock may step back, by a day at most
        newest = max(newest, day)
        dates = np.full(len(keys), day, np.int64)
        known = {key: value for key, (value, on) in model.items() if on >= day - kept}

        values, found = index.find(columns(keys), dates)
        assert [(value if hit else None) for value, hit in zip(values.tolist(), found.tolist(), strict=True)] == [
            known.get(key) for key in keys
        ]
        fresh = index.first_seen(columns(keys), dates)
        assert fresh.tolist() == [key not in known and key not in keys[:place] for place, key in enumerate(keys)]

        index.add(columns(keys).take(fresh), np.full(int(fresh.sum()), turn, np.int64), dates[fresh])
        model |= {key: (turn, day) for key, is_new in zip(keys, fresh.tolist(), strict=True) if is_new}
        index.forget_before(newest)


@given(st.lists(st.tuples(words, words, days), max_size=20))
def test_one_call_may_span_two_days(rows: list[tuple[int, int, int]]) -> None:
    keys, dates = columns([(high, low) for high, low, _ in rows]), np.array([day for *_, day in rows], np.int64)
    index = KeyIndex(1)
    fresh = index.first_seen(keys, dates)
    index.add(keys.take(fresh), np.arange(len(rows))[fresh], dates[fresh])
    assert int(fresh.sum()) == len({(high, low) for high, low, _ in rows}) == len(index)
    values, found = index.find(keys, dates + 1)
    first_row = {(high, low): row for row, (high, low, _) in reversed(list(enumerate(rows)))}
    for (high, low, _), value, hit in zip(rows, values.tolist(), found.tolist(), strict=True):
        first = first_row[high, low]
        assert not hit or value == first
        assert hit == (rows[first][2] >= rows[rows.index((high, low, _))][2] + 1 - 1)


def test_many_runs_are_merged_into_few_that_hold_everything() -> None:
    index, numbers = KeyIndex(7), np.arange(5000, dtype=np.uint64)
    for start in range(0, 5000, 50):
        part = numbers[start : start + 50] * np.uint64(0x9E3779B97F4A7C15)
        index.add(Keys(part, part), np.arange(start, start + 50), np.zeros(50, np.int64))
    every = numbers * np.uint64(0x9E3779B97F4A7C15)
    values, found = index.find(Keys(every, every), np.zeros(5000, np.int64))
    assert found.all()
    assert values.tolist() == list(range(5000))
    assert max(len(runs) for runs in index._runs.values()) <= 10


def test_what_left_the_window_is_gone_from_memory() -> None:
    index = KeyIndex(7)
    for day in range(30):
        index.add(columns([(day, day)]), np.array([day]), np.array([day]))
        index.forget_before(day)
    assert len(index) == 9  # the day, seven before it, and one to spare for a clock that steps back


def test_the_place_of_the_separator_matters_to_a_key() -> None:
    rows = pl.DataFrame({"source": ["ab", "a", None], "id": ["c", "bc", "abc"]})
    keys = Hasher().keys(rows, "source", "id")
    assert len(set(zip(keys.high.tolist(), keys.low.tolist(), strict=True))) == 3


def test_another_process_hashes_with_other_seeds() -> None:
    rows = pl.DataFrame({"id": ["a"]})
    assert Hasher().keys(rows, "id").high.tolist() != Hasher().keys(rows, "id").high.tolist()


def test_hashes_of_ids_that_count_up_use_all_bits() -> None:
    rows = pl.DataFrame({"id": [f"r1-{number}" for number in range(20_000)]})
    keys = Hasher((1, 2)).keys(rows, "id")
    for word in keys:
        # Each bit is set in half of 20,000 words; 5 standard deviations are 0.018.
        set_shares = [(((word >> np.uint64(bit)) & np.uint64(1)).mean()) for bit in range(64)]
        assert max(abs(share - 0.5) for share in set_shares) < 0.018
