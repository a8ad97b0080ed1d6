import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.identity.links import without
from cockpit.identity.resolve import resolve
from tests.identity.people import Row, links, naive, pair, rows


@pytest.mark.parametrize(
    ("seen", "profiles"),
    [
        ([], {}),
        ([pair("a:1", "u:1")], {"a:1": "u:1"}),
        # Two people on one device: it belongs to the one who came first.
        ([pair("a:1", "u:2", 2), pair("a:1", "u:1", 1)], {"a:1": "u:1"}),
        # Two people with one e-mail: likewise, and each keeps the device of their own.
        (
            [pair("e:1", "u:1", 1), pair("e:1", "u:2", 2), pair("a:1", "u:1", 3), pair("a:2", "u:2", 4)],
            {"e:1": "u:1", "a:1": "u:1", "a:2": "u:2"},
        ),
        # Two devices that gave one e-mail are one person even before a login; what was said of it names it.
        ([pair("a:2", "e:1", 1), pair("a:1", "e:1", 2)], {"a:1": "e:1", "a:2": "e:1"}),
        ([pair("a:2", "p:1", 1), pair("a:2", "e:1", 3)], {"a:2": "e:1", "p:1": "e:1"}),
        # A login names them all.
        (
            [pair("a:2", "e:1", 1), pair("a:1", "e:1", 2), pair("a:1", "u:1", 3)],
            {"a:1": "u:1", "a:2": "u:1", "e:1": "u:1"},
        ),
        # An alias between two people is refused, wherever it stands in time.
        ([pair("u:1", "u:2", 0), pair("a:1", "u:1", 1)], {"a:1": "u:1"}),
        # Aliases in a circle: 1 becomes 2, 2 becomes 1.
        ([pair("a:1", "u:2", 1), pair("a:2", "u:1", 2), pair("a:1", "a:2", 3)], {"a:1": "u:2", "a:2": "u:1"}),
        ([pair("a:1", "a:2", 1), pair("a:2", "a:3", 2), pair("a:1", "a:3", 3)], {"a:2": "a:1", "a:3": "a:1"}),
    ],
)
def test_profiles_worked_by_hand(seen: list[Row], profiles: dict[str, str]) -> None:
    assert resolve(links(seen)) == profiles


@given(rows)
def test_the_profiles_are_those_of_sets_merged_one_by_one(seen: list[Row]) -> None:
    assert resolve(links(seen)) == naive(seen)


@settings(max_examples=50)
@given(rows.flatmap(lambda seen: st.tuples(st.just(seen), st.permutations(seen))))
def test_the_order_of_the_rows_does_not_matter(orders: tuple[list[Row], list[Row]]) -> None:
    assert resolve(links(orders[0])) == resolve(links(orders[1]))


@settings(max_examples=50)
@given(rows)
def test_a_user_id_is_never_another_ones_profile(seen: list[Row]) -> None:
    assert not [identifier for identifier in resolve(links(seen)) if identifier.startswith("u:")]


@settings(max_examples=50)
@given(rows)
def test_a_profile_is_called_by_itself(seen: list[Row]) -> None:
    profiles = resolve(links(seen))
    assert not profiles.keys() & set(profiles.values())


@settings(max_examples=50)
@given(rows, st.data())
def test_a_link_taken_back_leaves_what_would_have_been_without_it(seen: list[Row], data: st.DataObject) -> None:
    revoked = data.draw(st.sets(st.sampled_from(seen))) if seen else set()
    pairs = {(left, right) for _, left, right, _ in revoked}
    kept = [row for row in seen if (row[1], row[2]) not in pairs]
    assert resolve(without(links(seen), links(revoked))) == naive(kept)
