"""Columns out of properties: per column the first of its names that is present, as text where the column is text.

Works on all events of a commit at once. A look at the kinds of value in a column decides whether each one must be
looked at.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from cockpit.events.call import ILLEGAL_IDS, NOTHING
from cockpit.events.catalogue import Catalogue
from cockpit.events.sent import MAX_ID

Values = Sequence[Any]
Translation = TypeVar("Translation")

TEXTS = (
    "session_id", "channel", "segment", "use_case", "experience_id", "experiment_id", "variant_id", "integration",
    "trigger_id", "error_code", "reason", "model_version", "item_id", "coupon", "transaction_id", "currency",
)  # fmt: skip
OTHERS = ("value", "cost", "items")
ONLY_TEXT = ({str}, {str, type(None)})

encode_lines = msgspec.json.Encoder().encode_lines


def find_columns(properties: Sequence[Mapping[str, Any]], catalogue: Catalogue) -> dict[str, Values]:
    """TEXTS and OTHERS that any of the events has, in the order of the events; absent columns are absent here."""
    present = set().union(*properties)
    found = {}
    for column in (*TEXTS, *OTHERS):
        values = first_present(properties, [name for name in catalogue.properties[column] if name in present])
        if values is not None:
            found[column] = as_texts(values) if column in TEXTS else values
    if "items" in found:
        listed = first_items(found["items"], catalogue.items["item_id"])
        found["item_id"] = coalesce(listed, found["item_id"]) if "item_id" in found else listed
    if "transaction_id" in found:  # an id that stands for no id would make one order of many
        found["transaction_id"] = [None if is_illegal(value) else value for value in found["transaction_id"]]
    return found


def first_present(properties: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Values | None:
    """Per event the value of the first of the names that is there and not null; None when there are no names."""
    if not names:
        return None
    values = [each.get(names[0]) for each in properties]
    for name in names[1:]:
        values = coalesce(values, [each.get(name) for each in properties])
    return values


def coalesce(values: Values, others: Values) -> list[Any]:
    return [other if value is None else value for value, other in zip(values, others, strict=True)]


def first_items(items: Values, names: Sequence[str]) -> list[str | None]:
    """The id of the first item of each event."""
    firsts = [some[0] if type(some) is list and some and type(some[0]) is dict else NOTHING for some in items]
    ids = [first.get(names[0]) for first in firsts]
    for name in names[1:]:
        if None in ids:
            ids = coalesce(ids, [first.get(name) for first in firsts])
    return as_texts(ids)


def as_texts(values: Values) -> list[Any]:
    """A number as its digits; None for what is empty, too long or no text."""
    kinds = set(map(type, values))
    if kinds in ONLY_TEXT and "" not in values and max(map(len, filter(None, values)), default=0) <= MAX_ID:
        return list(values)
    if kinds == {int}:
        return list(map(str, values))
    return [as_text(value) for value in values]


def as_text(value: object) -> str | None:
    if isinstance(value, str):
        return value if 0 < len(value) <= MAX_ID else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def is_illegal(text: str | None) -> bool:
    return text is not None and text.lower() in ILLEGAL_IDS


def translated(values: Values, translate: Callable[[Any], Translation]) -> list[Translation]:
    """Each value through a function that is called once per different value."""
    table = {value: translate(value) for value in set(values)}
    return [table[value] for value in values]


def as_json(properties: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each object as JSON text, written by us: never the sender's bytes."""
    return encode_lines(properties).decode().split("\n")[: len(properties)]
