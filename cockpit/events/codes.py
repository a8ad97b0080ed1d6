"""Refusals. A code is stable: senders, dead letters, screens and tests know it by this spelling and no other.

The codes of single events are those of Segment's delivery overview where Segment has one.
"""

from enum import StrEnum
from typing import NamedTuple


class Code(StrEnum):
    INVALID_JSON = "invalid_json"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    EMPTY_BATCH = "empty_batch"
    UNKNOWN_KEY = "unknown_key"
    SOURCE_DISABLED = "source_disabled"
    ORIGIN_NOT_ALLOWED = "origin_not_allowed"
    OVERLOADED = "overloaded"
    DRAINING = "draining"
    TYPE_UNKNOWN = "type_unknown"
    NO_USER_ANON_ID = "no_user_anon_id"
    ID_NOT_STRING = "id_not_string"
    ILLEGAL_ID = "illegal_id"
    EVENT_NOT_DEFINED = "event_not_defined"
    EVENT_NOT_STRING = "event_not_string"
    NAME_NOT_STRING = "name_not_string"
    CATEGORY_NOT_STRING = "category_not_string"
    PROPERTIES_NOT_OBJECT = "properties_not_object"
    TRAITS_NOT_OBJECT = "traits_not_object"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    TOO_MANY_PROPERTIES = "too_many_properties"
    KEY_TOO_LONG = "key_too_long"
    ID_TOO_LONG = "id_too_long"
    EVENT_TOO_LONG = "event_too_long"
    INVALID_NUMBER = "invalid_number"
    UNPLANNED = "unplanned"


class Meaning(NamedTuple):
    """What a code says. `level`: what is refused. `is_temporary`: sending the same again later may work."""

    level: str
    is_temporary: bool
    text: str


MEANINGS: dict[Code, Meaning] = {
    Code.INVALID_JSON: Meaning("frame, event", False, "not JSON, or JSON of another shape than an object or an array"),
    Code.PAYLOAD_TOO_LARGE: Meaning("frame", False, "more than 500 events in one frame"),
    Code.EMPTY_BATCH: Meaning("frame", False, "no events"),
    Code.UNKNOWN_KEY: Meaning("connection", False, "the write key is missing, unknown, or given twice and different"),
    Code.SOURCE_DISABLED: Meaning("connection", False, "the write key is switched off"),
    Code.ORIGIN_NOT_ALLOWED: Meaning("connection", False, "a browser's origin that the write key does not list"),
    Code.OVERLOADED: Meaning("frame", True, "the queue is full or the log takes no commits; nothing was stored"),
    Code.DRAINING: Meaning("frame", True, "the gateway is stopping; nothing was stored"),
    Code.TYPE_UNKNOWN: Meaning("event", False, "type is none of track, page, screen, identify, group, alias"),
    Code.NO_USER_ANON_ID: Meaning("event", False, "an id that this type needs is missing"),
    Code.ID_NOT_STRING: Meaning("event", False, "an id is not a string"),
    Code.ILLEGAL_ID: Meaning("event", False, "an id that stands for no id, such as null, undefined or 0"),
    Code.EVENT_NOT_DEFINED: Meaning("event", False, "a track without an event name"),
    Code.EVENT_NOT_STRING: Meaning("event", False, "the event name is not a string"),
    Code.NAME_NOT_STRING: Meaning("event", False, "the name of the page or screen is not a string"),
    Code.CATEGORY_NOT_STRING: Meaning("event", False, "the category of the page or screen is not a string"),
    Code.PROPERTIES_NOT_OBJECT: Meaning("event", False, "properties is not an object"),
    Code.TRAITS_NOT_OBJECT: Meaning("event", False, "traits is not an object"),
    Code.TOO_LARGE: Meaning("event", False, "more than 32 KiB as sent"),
    Code.TOO_DEEP: Meaning("event", False, "nested deeper than 32"),
    Code.TOO_MANY_PROPERTIES: Meaning("event", False, "more than 256 properties"),
    Code.KEY_TOO_LONG: Meaning("event", False, "the key of a property has more than 128 characters"),
    Code.ID_TOO_LONG: Meaning("event", False, "messageId has more than 100 characters, or another id more than 200"),
    Code.EVENT_TOO_LONG: Meaning("event", False, "the event name has more than 200 characters"),
    Code.INVALID_NUMBER: Meaning("event", False, "NaN, Infinity, a number beyond a double, or thousands of digits"),
    Code.UNPLANNED: Meaning("event", False, "the write key may not send events of this name"),
}
