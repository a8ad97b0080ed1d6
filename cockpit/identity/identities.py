"""Who is who, as far as the links seen until now say it.

Laws: whatever the order and the cut of the links, the profiles are those of `cockpit.identity.resolve`; a link that
was seen at this time or earlier changes nothing. `changes` remembers nothing: `admit` is called when the commit is on
disk.
"""

import msgspec
import polars as pl

from cockpit.identity.forest import Draft, Forest
from cockpit.identity.known import KnownLinks
from cockpit.identity.links import LINK_SCHEMA, merged
from cockpit.identity.resolve import in_order

MOVE_SCHEMA = pl.Schema({"identifier": pl.String(), "was": pl.String(), "profile_id": pl.String()})
MAPPING_SCHEMA = pl.Schema({"identifier": pl.String(), "profile_id": pl.String()})


class Changes(msgspec.Struct, frozen=True):
    """What new links change: hold for the state they were computed from, and for no other.

    `links` (LINK_SCHEMA) are those to keep: new, or earlier than known. `moved` (MOVE_SCHEMA) are the identifiers that
    belong to another profile now.
    """

    links: pl.DataFrame
    moved: pl.DataFrame
    draft: Draft


class Identities:
    """Links and the profiles that they make; 0.4 KB per link."""

    def __init__(self) -> None:
        self._known = KnownLinks()
        self._forest = Forest.empty()

    def recall(self, links: pl.DataFrame) -> None:
        """Forget everything and take in the links that are kept."""
        self._known, self._forest = KnownLinks(), Forest.empty()
        self._known.add(links)
        self._draft(links).apply()

    def changes(self, new_links: pl.DataFrame) -> Changes:
        """What these links would change; they may repeat and may be known."""
        is_news = self._known.is_news(new_links)
        links = merged(new_links.filter(is_news)) if is_news.any() else LINK_SCHEMA.to_frame()
        draft = self._draft(links)
        return Changes(links, pl.DataFrame(list(draft.moves()), schema=MOVE_SCHEMA, orient="row"), draft)

    def admit(self, changes: Changes) -> None:
        """Remember changes of this very state."""
        self._known.add(changes.links)
        changes.draft.apply()

    def profile_of(self, ids: pl.Series) -> pl.Series:
        """The profile of each identifier: itself, as long as no link says otherwise."""
        distinct = ids.drop_nulls().unique()
        names = pl.Series([self._forest.root(identifier) for identifier in distinct], dtype=pl.String)
        is_moved = names != distinct
        return ids.replace(distinct.filter(is_moved), names.filter(is_moved)) if is_moved.any() else ids

    def mapping(self) -> pl.DataFrame:
        """MAPPING_SCHEMA: the profile of every identifier that is not called by itself."""
        identifiers = list(self._forest.up.own)
        names = [self._forest.root(identifier) for identifier in identifiers]
        return pl.DataFrame({"identifier": identifiers, "profile_id": names}, schema=MAPPING_SCHEMA)

    def _draft(self, links: pl.DataFrame) -> Draft:
        draft = Draft(self._forest)
        for link in in_order(links) if links.height else ():
            draft.after.insert(link)
        return draft
