from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.events.catalogue import catalogue
from cockpit.events.frame import Flag
from tests.events.shared import row

CANONICAL = [
    ("Product List Viewed", "view_item_list"),
    ("Product Clicked", "select_item"),
    ("Product Viewed", "view_item"),
    ("Product Added", "add_to_cart"),
    ("Product Removed", "remove_from_cart"),
    ("Cart Viewed", "view_cart"),
    ("Product Added to Wishlist", "add_to_wishlist"),
    ("Checkout Started", "begin_checkout"),
    ("start_checkout", "begin_checkout"),
    ("Payment Info Entered", "add_payment_info"),
    ("Order Completed", "purchase"),
    ("Order Refunded", "refund"),
    ("Promotion Viewed", "view_promotion"),
    ("Promotion Clicked", "select_promotion"),
    ("Products Searched", "search"),
    ("Product Shared", "share"),
    ("Signed Up", "sign_up"),
    ("Signed In", "login"),
    ("Segment Consent Preference Updated", "consent_updated"),
    ("order completed", "purchase"),
    (" ORDER-COMPLETED ", "purchase"),
    ("order_completed", "purchase"),
    ("Purchase", "purchase"),
]


@pytest.mark.parametrize(("sent", "canonical"), CANONICAL)
def test_aliases_stand_for_one_name(sent: str, canonical: str) -> None:
    stored = row({"event": sent})
    assert (stored["name"], stored["name_sent"], stored["flags"]) == (canonical, sent.strip(), 0)


def test_an_unknown_name_is_stored_under_itself_and_flagged() -> None:
    stored = row({"event": "  Roleta\x07 Girada "})
    assert (stored["name"], stored["name_sent"], stored["flags"]) == ("Roleta Girada", "Roleta Girada", Flag.UNPLANNED)


def test_names_are_composed_and_free_of_controls() -> None:
    assert row({"event": "promoc\u0327a\u0303o"})["name"] == "promo\u00e7\u00e3o"
    assert row({"event": "a\u0000b"})["name"] == "ab"


def test_an_alias_may_set_properties() -> None:
    stored = row({"event": "reply_whatsapp"})
    assert (stored["name"], stored["channel"], stored["properties"]) == (
        "message_replied",
        "whatsapp",
        '{"channel":"whatsapp"}',
    )
    assert row({"event": "reply_whatsapp", "properties": {"channel": "chat"}})["channel"] == "chat"


@pytest.mark.parametrize(
    ("event", "channel"),
    [
        ({"properties": {"channel": "web"}}, "site"),
        ({"properties": {"channel": " Mobile "}}, "app"),
        ({"properties": {"channel": "fax"}}, None),
        ({"context": {"channel": "email"}}, "email"),
        ({"channel": "web"}, "site"),
        ({"channel": "server"}, None),
        ({"properties": {"channel": "push"}, "context": {"channel": "web"}, "channel": "mobile"}, "push"),
        ({}, None),
    ],
)
def test_channel_is_the_nearest_that_is_given(event: dict[str, Any], channel: str | None) -> None:
    assert row(event)["channel"] == channel


@pytest.mark.parametrize(
    ("event", "column", "value"),
    [
        ({"properties": {"segment": "vip"}, "traits": {"segment": "new"}}, "segment", "vip"),
        ({"context": {"traits": {"segment": "new"}}}, "segment", "new"),
        ({"traits": {"segment": "old"}}, "segment", "old"),
        ({"properties": {"ga_session_id": 1795000000, "session_id": "s"}}, "session_id", "1795000000"),
        ({"properties": {"session_id": "s"}}, "session_id", "s"),
        ({"context": {"sessionId": 17}}, "session_id", "17"),
        ({"properties": {"order_id": "o-1"}}, "transaction_id", "o-1"),
        ({"properties": {"order_id": "o-1", "transaction_id": "t-1"}}, "transaction_id", "t-1"),
        ({"properties": {"transaction_id": "undefined"}}, "transaction_id", None),
        ({"properties": {"transaction_id": "t" * 201}}, "transaction_id", None),
        ({"properties": {"items": [{"item_id": "i"}, {"item_id": "j"}]}}, "item_id", "i"),
        ({"properties": {"products": [{"product_id": 7}]}}, "item_id", "7"),
        ({"properties": {"items": [{"sku": "k", "name": "n"}]}}, "item_id", "k"),
        ({"properties": {"product_id": "p"}}, "item_id", "p"),
        ({"properties": {"items": ["x"], "product_id": "p"}}, "item_id", "p"),
        ({"properties": {"coupon": True}}, "coupon", None),
        ({"properties": {"use_case": ""}}, "use_case", None),
        ({"properties": {"trigger_id": "m-0"}}, "trigger_id", "m-0"),
        ({"userId": None, "anonymousId": "a-1"}, "profile_id", "a:a-1"),
        ({"anonymousId": "a-1"}, "profile_id", "u:u-1"),
        ({"messageId": None}, "message_id", "made-0"),
        ({"messageId": None}, "flags", Flag.NO_MESSAGE_ID),
    ],
)
def test_columns_are_read_from_where_senders_put_them(event: dict[str, Any], column: str, value: object) -> None:
    assert row(event)[column] == value


@pytest.mark.parametrize(
    ("call", "name", "name_sent", "properties"),
    [
        ({"type": "page", "name": "Home"}, "page_view", "Home", '{"name":"Home"}'),
        ({"type": "page", "properties": {"url": "/"}}, "page_view", "page", '{"url":"/"}'),
        ({"type": "screen", "name": "Cart"}, "screen_view", "Cart", '{"name":"Cart"}'),
        ({"type": "identify", "traits": {"plan": "pro"}}, "identify", "identify", '{"plan":"pro"}'),
        ({"type": "identify", "context": {"traits": {"plan": "x"}}}, "identify", "identify", '{"plan":"x"}'),
        ({"type": "group", "groupId": "g-1", "traits": {"a": 1}}, "group", "group", '{"a":1,"group_id":"g-1"}'),
        ({"type": "alias", "previousId": "a-1"}, "alias", "alias", '{"previous_id":"a-1"}'),
    ],
)
def test_the_other_calls_are_events_too(call: dict[str, Any], name: str, name_sent: str, properties: str) -> None:
    stored = row(call)
    assert (stored["name"], stored["name_sent"], stored["properties"]) == (name, name_sent, properties)
    assert stored["type"] == call["type"]


def test_systems_not_devices_send_messages_and_personalizations() -> None:
    known = catalogue()
    assert {"message_sent", "personalization_delivered", "support_ticket_opened", "refund"} <= known.server_side
    assert not {"view_item", "purchase", "page_view", "experiment_viewed"} & known.server_side


@given(st.text(max_size=30))
def test_looking_a_name_up_twice_finds_the_same(name: str) -> None:
    known = catalogue()
    first = known.named(name)
    assert known.named(name) is first
    assert known.named(first.canonical).canonical == first.canonical


def test_the_memory_of_names_is_bounded() -> None:
    known = catalogue()
    for number in range(25_000):
        known.named(f"new name {number}")
    assert len(known.remembered) <= 10_000
