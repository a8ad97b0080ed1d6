from collections.abc import Iterable

import polars as pl
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from cockpit.identity.identities import MAPPING_SCHEMA, MOVE_SCHEMA, Identities
from cockpit.identity.links import LINK_SCHEMA, merged
from cockpit.identity.resolve import resolve
from tests.identity.people import IDENTIFIERS, Row, all_of, links, pair, rows, streams


def taught(batches: Iterable[list[Row]]) -> Identities:
    identities = Identities()
    for batch in batches:
        identities.admit(identities.changes(links(batch)))
    return identities


def profiles(identities: Identities) -> dict[str, str]:
    return dict(identities.mapping().iter_rows())


@given(streams())
def test_any_cut_of_the_links_in_any_order_gives_the_profiles_of_them_all(batches: list[list[Row]]) -> None:
    assert profiles(taught(batches)) == resolve(links(all_of(batches)))


@settings(max_examples=40)
@given(streams())
def test_the_links_to_keep_are_together_the_links_that_were_seen(batches: list[list[Row]]) -> None:
    identities, kept = Identities(), [links([])]
    for batch in batches:
        kept.append(identities.changes(links(batch)).links)
        identities.admit(identities.changes(links(batch)))
    assert_frame_equal(merged(pl.concat(kept)), merged(links(all_of(batches))), check_row_order=False)


@settings(max_examples=60)
@given(streams())
def test_the_moves_lead_from_the_profiles_before_to_those_after(batches: list[list[Row]]) -> None:
    identities = Identities()
    for batch in batches:
        before = profiles(identities)
        changes = identities.changes(links(batch))
        identities.admit(changes)
        after = profiles(identities)
        moved = {
            (one, before.get(one, one), after.get(one, one)) for one in IDENTIFIERS if before.get(one) != after.get(one)
        }
        assert set(changes.moved.iter_rows()) == moved
        assert changes.moved.height == len(moved)


@settings(max_examples=40)
@given(streams(), rows)
def test_changes_that_are_not_admitted_leave_no_trace(batches: list[list[Row]], lost: list[Row]) -> None:
    identities = taught(batches)
    before = profiles(identities)
    identities.changes(links(lost))
    assert profiles(identities) == before
    identities.admit(identities.changes(links(lost)))
    assert profiles(identities) == resolve(links(all_of([*batches, lost])))


@settings(max_examples=40)
@given(streams())
def test_links_that_are_known_change_nothing(batches: list[list[Row]]) -> None:
    identities = taught(batches)
    again = identities.changes(links(all_of(batches)))
    assert (again.links.height, again.moved.height) == (0, 0)


@settings(max_examples=40)
@given(streams(), rows)
def test_a_recall_of_the_links_goes_on_where_the_stream_stopped(batches: list[list[Row]], more: list[Row]) -> None:
    recalled = taught([[pair("a:9", "u:9")]])
    recalled.recall(links(all_of(batches)))
    assert profiles(recalled) == profiles(taught(batches))
    recalled.admit(recalled.changes(links(more)))
    assert profiles(recalled) == resolve(links(all_of([*batches, more])))


def test_a_link_that_comes_late_but_is_earlier_takes_the_device_from_its_user() -> None:
    identities = taught([[pair("a:1", "u:2", 5), pair("a:1", "e:1", 6)]])
    changes = identities.changes(links([pair("a:1", "u:1", 4)]))
    assert set(changes.moved.iter_rows()) == {("a:1", "u:2", "u:1"), ("e:1", "u:2", "u:1")}


def test_a_link_seen_earlier_is_kept_again_and_a_later_one_is_not() -> None:
    identities = taught([[pair("a:1", "u:1", 5)]])
    assert identities.changes(links([pair("a:1", "u:1", 6)])).links.height == 0
    earlier = links([pair("a:1", "u:1", 4)])
    assert identities.changes(earlier).links.rows() == earlier.rows()


def test_of_a_batch_only_the_news_are_kept() -> None:
    identities = taught([[pair("a:1", "u:1", 5)]])
    changes = identities.changes(links([pair("a:1", "u:1", 5), pair("a:2", "u:1", 6)]))
    assert changes.links.rows() == links([pair("a:2", "u:1", 6)]).rows()


def test_a_link_of_another_source_is_kept_and_moves_nobody() -> None:
    identities = taught([[pair("a:1", "u:1", 5)]])
    changes = identities.changes(links([pair("a:1", "u:1", 5, source="crm")]))
    assert (changes.links.height, changes.moved.height) == (1, 0)


def test_profiles_of_a_column_keep_its_order_and_its_nulls() -> None:
    identities = taught([[pair("a:1", "u:1")]])
    ids = pl.Series("profile_id", ["a:2", "a:1", None, "u:1", "a:1"])
    assert identities.profile_of(ids).to_list() == ["a:2", "u:1", None, "u:1", "u:1"]
    assert Identities().profile_of(ids).to_list() == ids.to_list()


def test_what_is_handed_out_has_exactly_its_schema() -> None:
    for batch in ([], [pair("a:1", "u:1")]):
        identities = Identities()
        changes = identities.changes(links(batch))
        identities.admit(changes)
        assert changes.links.schema == LINK_SCHEMA
        assert changes.moved.schema == MOVE_SCHEMA
        assert identities.mapping().schema == MAPPING_SCHEMA
