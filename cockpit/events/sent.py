"""An event as it comes in: strict types for the ordinary one, a careful reading for the rest.

Both ways give the same `Sent`. The strict types admit only what needs no cleaning, so an ordinary event costs one
decode.
"""

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn

import msgspec
from msgspec import Meta

from cockpit.errors import SenderError
from cockpit.events.codes import Code
from cockpit.events.values import LARGEST, MAX_KEY, MAX_PROPERTIES, clean_properties, clean_text

MAX_MESSAGE_ID = 100
MAX_ID = 200
MAX_NAME = 200
NO_DATE = datetime.min.replace(tzinfo=UTC)  # stands for an instant that was given and is none
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*", re.ASCII)
UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeError)  # all that msgspec raises for bytes of any kind
TYPES = frozenset({"track", "page", "screen", "identify", "group", "alias"})

Key = Annotated[str, Meta(max_length=MAX_KEY)]
Whole = Annotated[int, Meta(ge=-LARGEST, le=LARGEST)]
Scalar = bool | Whole | float | str | None
Inner = Scalar | list[Scalar] | dict[Key, Scalar]
Middle = Scalar | list[Inner] | dict[Key, Inner]
Outer = Scalar | list[Middle] | dict[Key, Middle]
Properties = Annotated[dict[Key, Outer], Meta(max_length=MAX_PROPERTIES)]
MessageId = Annotated[str, Meta(max_length=MAX_MESSAGE_ID)]
Id = Annotated[str, Meta(max_length=MAX_ID)]
Name = Annotated[str, Meta(max_length=MAX_NAME)]
Instant = Annotated[datetime, Meta(tz=True)]


class Context(msgspec.Struct, rename="camel", gc=False):
    channel: str | None = None
    traits: Properties | None = None
    session_id: Id | None = None


class Sent(msgspec.Struct, rename="camel", gc=False):
    """One message of the tracking API. What is not named here is ignored."""

    type: str | None = None
    event: Name | None = None
    message_id: MessageId | None = None
    user_id: Id | None = None
    anonymous_id: Id | None = None
    timestamp: Instant | None = None
    original_timestamp: Instant | None = None
    sent_at: Instant | None = None
    properties: Properties | None = None
    traits: Properties | None = None
    context: Context | None = None
    channel: str | None = None
    name: Name | None = None
    category: str | None = None
    group_id: Id | None = None
    previous_id: Id | None = None
    historical: bool = False


read_strictly = msgspec.json.Decoder(Sent).decode


def read_carefully(text: bytes) -> Sent:
    """What the strict types turn away: cleaned where a rule says how, else SenderError with its code."""
    document = parse_leniently(text)
    if not isinstance(document, dict):
        raise SenderError(Code.INVALID_JSON, "an event is an object")
    context = document.get("context")
    return Sent(
        type=_type(document.get("type")),
        message_id=_id(document, "messageId", MAX_MESSAGE_ID),
        user_id=_id(document, "userId"),
        anonymous_id=_id(document, "anonymousId"),
        group_id=_id(document, "groupId"),
        previous_id=_id(document, "previousId"),
        event=_name(document, "event", Code.EVENT_NOT_STRING),
        name=_name(document, "name", Code.NAME_NOT_STRING),
        category=_name(document, "category", Code.CATEGORY_NOT_STRING),
        properties=_object(document.get("properties"), Code.PROPERTIES_NOT_OBJECT),
        traits=_object(document.get("traits"), Code.TRAITS_NOT_OBJECT),
        context=_context(context) if isinstance(context, dict) else None,
        channel=_text(document.get("channel")),
        timestamp=to_instant(document.get("timestamp")),
        original_timestamp=to_instant(document.get("originalTimestamp")),
        sent_at=to_instant(document.get("sentAt")),
        historical=document.get("historical") is True,
    )


def parse_leniently(text: bytes) -> Any:
    """JSON with lone surrogates; SenderError for what has no meaning as a value."""
    try:
        return msgspec.json.decode(text)
    except RecursionError as error:
        raise SenderError(Code.TOO_DEEP, "nested far too deep") from error
    except (msgspec.DecodeError, UnicodeError):
        pass
    try:
        return json.loads(text.decode(), parse_constant=_refuse_number, parse_float=_finite)
    except RecursionError as error:
        raise SenderError(Code.TOO_DEEP, "nested far too deep") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise SenderError(Code.INVALID_JSON, "not JSON in UTF-8") from error
    except ValueError as error:
        raise SenderError(Code.INVALID_NUMBER, "an integer of thousands of digits") from error


def to_instant(value: object) -> datetime | None:
    """None when not given, NO_DATE when it is none. An instant without an offset is UTC."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not ISO_DATE.fullmatch(value):
        return NO_DATE
    try:
        instant = datetime.fromisoformat(value)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return NO_DATE


def _refuse_number(text: str) -> NoReturn:
    raise SenderError(Code.INVALID_NUMBER, f"{text} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise SenderError(Code.INVALID_NUMBER, "a number beyond a double")
    return number


def _type(value: object) -> str:
    if not isinstance(value, str) or value not in TYPES:
        raise SenderError(Code.TYPE_UNKNOWN, "type is none of " + ", ".join(sorted(TYPES)))
    return value


def _id(document: dict[str, Any], field: str, longest: int = MAX_ID) -> str | None:
    value = document.get(field)
    if value is None:
        return None
    if not isinstance(value, str):
        raise SenderError(Code.ID_NOT_STRING, f"{field} is not a string")
    if len(value) > longest:
        raise SenderError(Code.ID_TOO_LONG, f"{field} has {len(value)} characters, at most {longest}")
    return clean_text(value)


def _name(document: dict[str, Any], field: str, code: Code) -> str | None:
    value = document.get(field)
    if value is None:
        return None
    if not isinstance(value, str):
        raise SenderError(code, f"{field} is not a string")
    if len(value) > MAX_NAME and field != "category":
        raise SenderError(Code.EVENT_TOO_LONG, f"{field} has {len(value)} characters, at most {MAX_NAME}")
    return clean_text(value)


def _object(value: object, code: Code) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise SenderError(code, "not an object")
    return clean_properties(value)


def _context(context: dict[str, Any]) -> Context:
    session = _text(context.get("sessionId"))
    return Context(
        channel=_text(context.get("channel")),
        traits=_object(context.get("traits"), Code.TRAITS_NOT_OBJECT),
        session_id=session if session is not None and len(session) <= MAX_ID else None,
    )


def _text(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if -LARGEST <= value <= LARGEST else None
    return clean_text(value) if isinstance(value, str) else None
