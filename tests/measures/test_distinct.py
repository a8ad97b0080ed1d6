import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from cockpit.measures.distinct import Directory, Distinct, key_of


@given(st.lists(st.lists(st.integers(0, 60).map(lambda number: number * 512), max_size=40), max_size=30))
def test_each_key_has_one_id_for_ever_and_ids_have_no_gap(calls: list[list[int]]) -> None:
    # Multiples of the smallest table's size meet in the same place of it.
    directory, model = Directory(), dict[int, int]()
    for keys in calls:
        ids, is_new = directory.ids(np.array(keys, np.uint64))
        assert is_new.tolist() == [key not in model and key not in keys[:place] for place, key in enumerate(keys)]
        for key, id_, new in zip(keys, ids.tolist(), is_new.tolist(), strict=True):
            assert model.setdefault(key, id_) == id_
            assert not new or id_ < len(directory)
    assert len(directory) == len(model)
    assert sorted(model.values()) == list(range(len(model)))
    assert directory.keys().tolist() == sorted(model, key=model.__getitem__)


def test_a_table_that_grows_keeps_its_ids() -> None:
    keys = np.random.default_rng(1).integers(0, 2**63, 50_000).astype(np.uint64)
    directory = Directory()
    for start in range(0, 50_000, 700):
        directory.ids(keys[start : start + 700])
    ids, is_new = directory.ids(keys)
    assert not is_new.any()
    assert sorted(ids.tolist()) == list(range(50_000))
    assert directory.keys()[ids].tolist() == keys.tolist()


@given(st.lists(st.lists(st.tuples(st.sampled_from(["site", "app"]), st.sampled_from("abc")), min_size=1), max_size=6))
def test_values_are_counted_once_in_their_group_and_once_in_all(calls: list[list[tuple[str, str]]]) -> None:
    distinct = Distinct()
    for rows in calls:
        frame = pl.DataFrame(rows, schema=["group", "value"], orient="row")
        keys = frame.select(in_group=key_of("group", "value"), in_all=key_of("value"))
        distinct.saw(frame["group"].to_list(), keys["in_group"].to_numpy(), keys["in_all"].to_numpy())
    seen = {pair for rows in calls for pair in rows}
    expected = {group: len({value for of, value in seen if of == group}) for group in {of for of, _ in seen}}
    assert distinct.counts == expected | ({"all": len({value for _, value in seen})} if seen else {})


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 9)), max_size=40))
def test_values_that_turn_out_to_be_one_count_once(steps: list[tuple[bool, int, int]]) -> None:
    """Against plain sets: see a value by its present name, or learn that two names are one."""
    names, seen, distinct = {number: number for number in range(10)}, set[int](), Distinct()
    for is_union, one, other in steps:
        former, now = names[one], names[other]
        if is_union and former != now:
            names = {number: now if name == former else name for number, name in names.items()}
            seen = {now if name == former else name for name in seen}
            distinct.unite("site", np.array([former + 1], np.uint64), np.array([now + 1], np.uint64))
        elif not is_union:
            seen.add(former)
            keys = np.array([former + 1], np.uint64)
            distinct.saw(["site"], keys, keys + np.uint64(100))
        assert distinct.counts.get("site", 0) == len(seen)
