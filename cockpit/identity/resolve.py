"""The law of identity: which identifiers are one profile, said once over all links.

Links are taken in the order (first_at, left_id, right_id), whatever their source. Each unites the profiles of its two
identifiers, unless both already have a user id: then it is refused. So an anonymous id, an e-mail or a phone that two
people use belongs to the one who came first. A profile is called by its user id, else by an e-mail, a phone or at last
an anonymous id: of several by the one with the earliest link, then the least as text. The order of rows does not matter
(*ours*).
"""

from collections.abc import Iterable

import polars as pl

Link = tuple[int, str, str]  # first_at in microseconds, left_id, right_id: the order in which links are taken
Claim = tuple[
    int, int, str
]  # how well known an identifier is, when it was first linked, and which: the least one names
RANKS = {"e": 0, "p": 1, "a": 2}


def is_user(identifier: str) -> bool:
    return identifier.startswith("u:")


def claim_of(link: Link) -> Claim:
    """The better claim of the two ends."""
    at, *ends = link
    return min((RANKS.get(end[0], len(RANKS)), at, end) for end in ends)


def in_order(links: pl.DataFrame) -> Iterable[Link]:
    """Each pair once, at its earliest, in the order of the law."""
    pairs = links.group_by("left_id", "right_id").agg(pl.col("first_at").min().to_physical())
    return pairs.select("first_at", "left_id", "right_id").sort(pl.all()).iter_rows()


def resolve(links: pl.DataFrame) -> dict[str, str]:
    """The profile of every identifier that is not called by itself."""
    above: dict[str, str] = {}
    claims: dict[str, Claim] = {}
    for link in in_order(links):
        left, right = (_head(above, identifier) for identifier in link[1:])
        if left == right or (is_user(left) and is_user(right)):
            continue
        claim = min(claims.get(left, claim_of(link)), claims.get(right, claim_of(link)))
        name = next(filter(is_user, (left, right)), claim[2])
        above[right if name == left else left] = name
        claims[name] = claim
    return {identifier: _head(above, identifier) for identifier in above}


def _head(above: dict[str, str], identifier: str) -> str:
    """Follow it up to the name of its profile, halving the way for those who ask next."""
    while identifier in above:
        higher = above[identifier]
        if higher in above:
            above[identifier] = above[higher]
        identifier = higher
    return identifier
