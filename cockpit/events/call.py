"""What a call of the tracking API says: the event's name, its properties, and whose it is."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from cockpit.errors import SenderError
from cockpit.events.catalogue import Catalogue, Named
from cockpit.events.codes import Code
from cockpit.events.sent import TYPES, Context, Sent

NAMED_BY_TYPE = {
    "page": "page_view",
    "screen": "screen_view",
    "identify": "identify",
    "group": "group",
    "alias": "alias",
}
ILLEGAL_IDS = frozenset(
    {"null", "undefined", "[object object]", "0", "anonymous", "nan", "true", "00000000-0000-0000-0000-000000000000"}
)
NOTHING: Mapping[str, Any] = {}
NO_CONTEXT = Context()


class Content(NamedTuple):
    named: Named
    properties: Mapping[str, Any]


def content(sent: Sent, catalogue: Catalogue) -> Content:
    """The name and the properties, which for calls about a person or a group are the traits."""
    if sent.type == "track":
        if not sent.event:
            raise SenderError(Code.EVENT_NOT_DEFINED, "a track needs an event name")
        named = catalogue.named(sent.event)
        properties = sent.properties or NOTHING
        return Content(named, {**named.implied, **properties} if named.implied else properties)
    if sent.type not in TYPES:
        raise SenderError(Code.TYPE_UNKNOWN, "type is none of " + ", ".join(sorted(TYPES)))
    return Content(call_name(sent), call_properties(sent))


def call_name(sent: Sent) -> Named:
    """What a call other than track is called: by its type; its own name, if it has one, is kept as sent."""
    assert sent.type is not None
    return Named(NAMED_BY_TYPE[sent.type], sent.name or sent.type, is_known=True)


def call_properties(sent: Sent) -> Mapping[str, Any]:
    """What a call other than track carries: a page's name, a person's traits, the ids of group and alias."""
    if sent.type in ("page", "screen"):
        called = {key: value for key, value in (("name", sent.name), ("category", sent.category)) if value}
        return {**called, **(sent.properties or NOTHING)}
    traits = sent.traits or (sent.context or NO_CONTEXT).traits or NOTHING
    if sent.type == "group":
        return {**traits, "group_id": sent.group_id}
    if sent.type == "alias":
        return {**traits, "previous_id": sent.previous_id}
    return traits


def check_ids(sent: Sent) -> None:
    """SenderError when an id that this type needs is missing, or one stands for no id."""
    for given in (sent.user_id, sent.anonymous_id, sent.message_id, sent.group_id, sent.previous_id):
        if given and given.lower() in ILLEGAL_IDS:
            raise SenderError(Code.ILLEGAL_ID, f"{given} is no id")
    if not sent.user_id and (not sent.anonymous_id or sent.type == "alias"):
        raise SenderError(Code.NO_USER_ANON_ID, "userId or anonymousId is required (alias: userId)")
    if sent.type == "group" and not sent.group_id:
        raise SenderError(Code.NO_USER_ANON_ID, "group needs a groupId")
    if sent.type == "alias" and not sent.previous_id:
        raise SenderError(Code.NO_USER_ANON_ID, "alias needs a previousId")
