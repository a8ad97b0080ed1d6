"""Events say which identifiers are one person's: a link is two identifiers, their source and when it was first seen.

Identifiers are `u:<user id>`, `a:<anonymous id>`, `e:<sha256>` and `p:<sha256>` (cockpit.identity.contacts).
Law: links add up by their minimum, so `links_of(a ++ b)` is the least first_at of `links_of(a)` and `links_of(b)`.
"""

from collections.abc import Iterable

import msgspec
import polars as pl

from cockpit.events.frame import INSTANT
from cockpit.identity.contacts import contact_ids

LINK_SCHEMA = pl.Schema(
    {
        "source": pl.String(),
        "left_id": pl.String(),  # below right_id as text
        "right_id": pl.String(),
        "first_at": INSTANT,  # least occurred_at
    }
)
KEYS = ("source", "left_id", "right_id")

read_json = msgspec.json.Decoder(dict[str, object]).decode


def links_of(events: pl.DataFrame) -> pl.DataFrame:
    """LINK_SCHEMA of EVENT_SCHEMA rows, one row per source and pair, in no order.

    A row with both ids links them; an alias links its previous id, as an anonymous one; an identify links the e-mails
    and phones among its traits to the user id, or without one to the anonymous id. Flags are not looked at: who calls
    this decides which events count.
    """
    speaking = events.filter(pl.col("type").is_in(["identify", "alias"]))
    parts = [_of_rows(events)]
    if speaking.height:
        parts += [_of_aliases(speaking), _of_traits(speaking)]
    return merged(pl.concat(parts)) if speaking.height else parts[0]


def merged(links: pl.DataFrame) -> pl.DataFrame:
    """One row per source and pair: the earliest."""
    return links.group_by(KEYS).agg(pl.col("first_at").min())


def without(links: pl.DataFrame, revoked: pl.DataFrame) -> pl.DataFrame:
    """The links less those pairs (left_id, right_id) that were revoked, in whatever source they were seen."""
    return links.join(revoked, on=["left_id", "right_id"], how="anti")


def _of_rows(events: pl.DataFrame) -> pl.DataFrame:
    """Ids that stand on one row. Grouped before they are made into text: most rows repeat a pair."""
    both = events.lazy().filter(pl.col("user_id").is_not_null() & pl.col("anonymous_id").is_not_null())
    pairs = both.group_by("source", "anonymous_id", "user_id").agg(first_at=pl.col("occurred_at").min())
    anonymous, user = pl.format("a:{}", "anonymous_id"), pl.format("u:{}", "user_id")
    return pairs.select("source", left_id=anonymous, right_id=user, first_at="first_at").collect()


def _of_aliases(speaking: pl.DataFrame) -> pl.DataFrame:
    aliases = speaking.filter((pl.col("type") == "alias") & pl.col("user_id").is_not_null())
    previous = [read_json(text).get("previous_id") for text in aliases["properties"]]
    named = aliases.with_columns(pl.Series("anonymous_id", previous, dtype=pl.String))
    return _of_rows(named)


def _of_traits(speaking: pl.DataFrame) -> pl.DataFrame:
    calls = speaking.filter(pl.col("type") == "identify").select("source", "profile_id", "occurred_at", "properties")
    rows = [
        (source, contact, profile, at)
        for source, profile, at, text in _physical(calls)
        for contact in contact_ids(read_json(text))
    ]
    ordered = [(source, *sorted((contact, profile)), at) for source, contact, profile, at in rows]
    frame = pl.DataFrame(ordered, schema={**LINK_SCHEMA, "first_at": pl.Int64()}, orient="row")
    return frame.with_columns(pl.col("first_at").cast(INSTANT))


def _physical(calls: pl.DataFrame) -> Iterable[tuple[str, str, int, str]]:
    return calls.with_columns(pl.col("occurred_at").to_physical()).iter_rows()
