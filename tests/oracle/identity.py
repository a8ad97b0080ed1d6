"""Who is who, by growing sets of identifiers: slow, and with nothing to get wrong."""

import hashlib
import json
import re
from collections.abc import Iterator

import polars as pl

from cockpit.events.frame import Flag

Link = tuple[int, str, str]


def people_of(stored: pl.DataFrame) -> dict[str, str]:
    """The person of every identifier that any measured event links to another; late ones and bots tell nothing."""
    first: dict[tuple[str, str], int] = {}
    columns = ("type", "occurred_at", "user_id", "anonymous_id", "properties")
    counted = stored.filter((pl.col("flags") & int(Flag.LATE | Flag.BOT)) == 0)
    for kind, at, user, anonymous, text in (
        counted.with_columns(pl.col("occurred_at").to_physical()).select(columns).iter_rows()
    ):
        for one, other in _pairs(kind, user, anonymous, text):
            pair = (min(one, other), max(one, other))
            first[pair] = min(at, first.get(pair, at))
    return _grown(sorted((at, *pair) for pair, at in first.items()))


def _pairs(kind: str, user: str | None, anonymous: str | None, text: str) -> Iterator[tuple[str, str]]:
    if user and anonymous:
        yield f"a:{anonymous}", f"u:{user}"
    if kind == "alias":
        yield f"a:{json.loads(text)['previous_id']}", f"u:{user}"
    if kind == "identify":
        traits, caller = json.loads(text), f"u:{user}" if user else f"a:{anonymous}"
        if "email" in traits:
            yield f"e:{_hash(traits['email'].strip().lower())}", caller
        if "phone" in traits:
            digits = re.sub("[^0-9]", "", traits["phone"])
            yield f"p:{_hash('+' + (digits if digits.startswith('55') else '55' + digits))}", caller


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _grown(links: list[Link]) -> dict[str, str]:
    """Take the links in order; one that would put two users into one set is refused."""
    sets: dict[str, set[str]] = {}
    since: dict[str, tuple[int, str]] = {}
    for at, left, right in links:
        for identifier in (left, right):
            since[identifier] = min(since.get(identifier, (at, identifier)), (at, identifier))
        ours, theirs = sets.get(left, {left}), sets.get(right, {right})
        both = ours | theirs
        if sum(identifier.startswith("u:") for identifier in both) < 2:
            for identifier in both:
                sets[identifier] = both
    return {identifier: _name(members, since) for identifier, members in sets.items()}


def _name(members: set[str], since: dict[str, tuple[int, str]]) -> str:
    users = [identifier for identifier in members if identifier.startswith("u:")]
    return users[0] if users else min(("epa".index(name[0]), *since[name]) for name in members)[-1]
