"""Hypothesis strategies for what senders send: ordinary events, odd ones, and bytes that are no events at all."""

import json
import string
from typing import Any

from hypothesis import strategies as st

NAMES = (
    "view_item",
    "add_to_cart",
    "purchase",
    "Order Completed",
    "reply_whatsapp",
    "personalization_delivered",
    "Novo Evento",
)
INSTANTS = ("2026-11-22T10:00:00.123Z", "2026-11-22T07:00:00+00:00", "2026-11-22T09:59:59.123456-03:00")

words = st.text(string.ascii_letters + string.digits + "áçã_- ", min_size=1, max_size=20)
ids = st.text(string.ascii_letters + string.digits + "-", min_size=16, max_size=40)
amounts = st.one_of(
    st.integers(0, 100_000), st.floats(0, 1e6).map(lambda amount: round(amount, 2)), st.floats(0, 1e6), st.just("12.50")
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), words
)
json_values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(words, inner, max_size=4)),
    max_leaves=12,
)

items = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "item_id": ids,
            "sku": st.integers(1, 999),
            "price": amounts,
            "cost": amounts,
            "quantity": st.integers(0, 9),
        },
    ),
    max_size=3,
)
properties = st.fixed_dictionaries(
    {},
    optional={
        "value": amounts,
        "revenue": amounts,
        "currency": st.sampled_from(["BRL", "usd", "JPY", "KWD", "XXX"]),
        "items": items,
        "cost": amounts,
        "channel": st.sampled_from(["site", "Web", "mobile", "whatsapp", "fax"]),
        "segment": words,
        "ga_session_id": st.one_of(st.integers(1, 2**40), words),
        "order_id": ids,
        "transaction_id": ids,
        "use_case": words,
        "coupon": st.one_of(words, st.integers(0, 99)),
        "extra": json_values,
    },
)
tracks = st.fixed_dictionaries(
    {"type": st.just("track"), "event": st.sampled_from(NAMES), "userId": ids},
    optional={
        "messageId": ids,
        "anonymousId": ids,
        "timestamp": st.sampled_from(INSTANTS),
        "originalTimestamp": st.sampled_from(INSTANTS),
        "sentAt": st.sampled_from(INSTANTS),
        "properties": properties,
        "context": st.fixed_dictionaries(
            {}, optional={"channel": words, "sessionId": ids, "traits": st.dictionaries(words, scalars, max_size=3)}
        ),
        "historical": st.booleans(),
    },
)
calls = st.fixed_dictionaries(
    {"type": st.sampled_from(["page", "screen", "identify", "group", "alias"]), "userId": ids},
    optional={
        "name": words,
        "category": words,
        "groupId": ids,
        "previousId": ids,
        "traits": properties,
        "properties": properties,
    },
)
FIELDS = (
    "type", "event", "userId", "anonymousId", "messageId", "groupId", "previousId", "timestamp", "originalTimestamp",
    "sentAt", "properties", "traits", "context", "channel", "name", "category", "historical",
)  # fmt: skip
odd_events = st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=8)
illegal = st.sampled_from(["null", "undefined", "0", "", "NaN", "true", "[object Object]"])
refusable = tracks.flatmap(
    lambda event: st.sampled_from(["userId", "messageId", "event", "type", "properties"]).flatmap(
        lambda field: st.one_of(illegal, json_values).map(lambda value: {**event, field: value})
    )
)
events = st.one_of(tracks, tracks, calls, refusable, odd_events)

broken_texts = st.sampled_from(
    [
        b"", b"nul", b"{", b'{"type":"track"', b"\xff\xfe", b'{"a":1e400}', b'{"a":NaN}',
        b'{"userId":"\\ud800"}', b'{"a":"\\u0000"}', b"[" * 2000, b'{"a":' * 2000 + b"1" + b"}" * 2000,
        b'{"a":' + b"9" * 5000 + b"}", b"5", b'"x"', b"[1]", b'{"a":1}}', b"\x00",
    ]
)  # fmt: skip
event_texts = st.one_of(events.map(lambda event: json.dumps(event).encode()), broken_texts, st.binary(max_size=60))


def text_of(event: dict[str, Any]) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()
