"""Links by hand and by Hypothesis: few identifiers and few instants, so that they meet in every way."""

from collections.abc import Iterable
from itertools import chain

import polars as pl
from hypothesis import strategies as st

from cockpit.identity.links import LINK_SCHEMA

Row = tuple[str, str, str, int]  # source, left_id, right_id, first_at in microseconds

IDENTIFIERS = ("a:1", "a:2", "a:3", "a:4", "e:1", "e:2", "p:1", "u:1", "u:2", "u:3")


def links(rows: Iterable[Row]) -> pl.DataFrame:
    numbers = pl.DataFrame(list(rows), schema={**LINK_SCHEMA, "first_at": pl.Int64()}, orient="row")
    return numbers.cast(LINK_SCHEMA)


def pair(one: str, other: str, at: int = 0, source: str = "shop") -> Row:
    return source, min(one, other), max(one, other), at


rows = st.lists(
    st.builds(
        pair,
        st.sampled_from(IDENTIFIERS[:-3]),
        st.sampled_from(IDENTIFIERS),
        st.integers(0, 6),
        st.sampled_from(["shop", "crm"]),
    ).filter(lambda row: row[1] != row[2]),
    max_size=14,
)


@st.composite
def streams(draw: st.DrawFn) -> list[list[Row]]:
    """The same links in any order, cut anywhere."""
    seen = draw(st.permutations(draw(rows)))
    cuts = sorted(draw(st.lists(st.integers(0, len(seen)), max_size=3)))
    return [seen[start:end] for start, end in zip([0, *cuts], [*cuts, len(seen)], strict=True)]


def all_of(batches: Iterable[list[Row]]) -> list[Row]:
    return list(chain(*batches))


def naive(seen: Iterable[Row]) -> dict[str, str]:
    """The rule of the contract by hand: groups as sets, named by looking at every link again."""
    earliest: dict[tuple[str, str], int] = {}
    for _, left, right, at in seen:
        earliest[left, right] = min(at, earliest.get((left, right), at))
    groups = {identifier: {identifier} for ends in earliest for identifier in ends}
    for _, left, right in sorted((at, *ends) for ends, at in earliest.items()):
        together = groups[left] | groups[right]
        if sum(identifier.startswith("u:") for identifier in together) <= 1:
            for identifier in together:
                groups[identifier] = together
    return {member: name for member, group in groups.items() if (name := named(group, earliest)) != member}


def named(group: set[str], earliest: dict[tuple[str, str], int]) -> str:
    users = [identifier for identifier in group if identifier.startswith("u:")]
    if users:
        return users[0]
    first = {one: min([at for ends, at in earliest.items() if one in ends], default=0) for one in group}
    return min(group, key=lambda one: ("epa".index(one[0]), first[one], one))
