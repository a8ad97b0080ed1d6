import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from cockpit.identity.contacts import email_id, phone_id
from cockpit.identity.links import LINK_SCHEMA, links_of, merged
from tests.events.shared import judged
from tests.warehouse_events import NOON, Row, event, frame

MAIL, PHONE = email_id("ana@example.com"), phone_id("11987654321")


def both(message_id: str, anonymous: str | None, user: str | None, seconds: int = 0, **columns: Any) -> Row:
    at = NOON + timedelta(seconds=seconds)
    profile = f"u:{user}" if user else f"a:{anonymous}"
    ids: dict[str, Any] = {"anonymous_id": anonymous, "user_id": user, "profile_id": profile}
    return event(message_id, at=at, **ids, **columns)


def identify(
    message_id: str, anonymous: str | None, user: str | None, traits: Mapping[str, Any], seconds: int = 0
) -> Row:
    return both(message_id, anonymous, user, seconds, type="identify", properties=json.dumps(traits))


def pairs(rows: list[Row]) -> set[tuple[str, str]]:
    return set(links_of(frame(rows)).select("left_id", "right_id").iter_rows())


@st.composite
def rows(draw: st.DrawFn) -> Row:
    ids = st.sampled_from([None, "1", "2"])
    anonymous, seconds = draw(ids), draw(st.integers(0, 3))
    user = draw(ids) if anonymous else "3"
    traits: Mapping[str, Any] = draw(
        st.sampled_from([{}, {"email": "ana@example.com"}, {"phone": "11987654321", "em": ["bia@x.com"]}])
    )
    made = draw(st.sampled_from([both("m", anonymous, user, seconds), identify("m", anonymous, user, traits, seconds)]))
    return {**made, "source": draw(st.sampled_from(["shop", "crm"]))}


@given(st.lists(rows(), max_size=8), st.lists(rows(), max_size=8))
def test_the_links_of_a_and_b_are_the_earliest_of_both(a: list[Row], b: list[Row]) -> None:
    parts = pl.concat([links_of(frame(a)), links_of(frame(b))])
    assert_frame_equal(merged(parts), links_of(frame([*a, *b])), check_row_order=False)


@given(st.lists(rows(), max_size=8))
def test_a_pair_has_one_row_its_lesser_identifier_at_the_left(some: list[Row]) -> None:
    links = links_of(frame(some))
    assert links.schema == LINK_SCHEMA
    assert links.filter(pl.col("left_id") >= pl.col("right_id")).is_empty()
    assert not links.select("source", "left_id", "right_id").is_duplicated().any()


def test_two_ids_on_one_row_are_linked_at_their_earliest_in_each_source() -> None:
    seen = [both("1", "x", "ana", 5), both("2", "x", "ana", 3), both("3", "x", "ana", 4, source="crm")]
    at = [NOON + timedelta(seconds=4), NOON + timedelta(seconds=3)]
    assert links_of(frame(seen)).sort("source").rows() == [
        ("crm", "a:x", "u:ana", at[0]),
        ("shop", "a:x", "u:ana", at[1]),
    ]


def test_one_id_alone_links_nothing() -> None:
    assert pairs([both("1", "x", None), both("2", None, "ana"), identify("3", "x", None, {"segment": "vip"})]) == set()


def test_a_contact_goes_to_the_user_and_before_a_login_to_the_device() -> None:
    traits = {"email": "Ana@Example.com ", "phone": "(11) 98765-4321"}
    assert pairs([identify("1", None, "ana", traits)]) == {(MAIL, "u:ana"), (PHONE, "u:ana")}
    assert pairs([identify("1", "x", None, traits)]) == {("a:x", MAIL), ("a:x", PHONE)}
    assert pairs([identify("1", "x", "ana", traits)]) == {("a:x", "u:ana"), (MAIL, "u:ana"), (PHONE, "u:ana")}


def test_only_an_identify_speaks_of_contacts() -> None:
    assert pairs([both("1", None, "ana", properties='{"email": "ana@example.com"}')]) == set()


def test_only_an_alias_speaks_of_a_previous_id() -> None:
    assert pairs([identify("1", None, "ana", {"previous_id": "x"})]) == set()


def test_the_calls_that_the_gateway_takes_in_are_understood() -> None:
    calls = [
        {"type": "alias", "userId": "ana", "previousId": "x", "traits": {"email": "not@looked.at"}},
        {"type": "identify", "userId": "bia", "anonymousId": "y", "traits": {"email": "ana@example.com"}},
        {"type": "identify", "userId": "caio", "context": {"traits": {"phone": "11987654321"}}},
    ]
    found = links_of(judged([json.dumps(call).encode() for call in calls]).events).select("left_id", "right_id").rows()
    assert set(found) == {("a:x", "u:ana"), ("a:y", "u:bia"), (MAIL, "u:bia"), (PHONE, "u:caio")}
