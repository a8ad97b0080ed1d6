"""Members of a frame: its events as they were written, still unjudged."""

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from cockpit.events.arrival import Member
from cockpit.events.sent import UNREADABLE
from cockpit.events.split import split_array

MAX_EVENT_BYTES = 32 * 1024
ESCAPED_NUL = b"\\u0000"

read_members = msgspec.json.Decoder(list[Raw]).decode


def members(text: str | bytes, at_most: int | None = None) -> Sequence[Member]:
    """The events of a JSON array; SenderError(invalid_json) when they cannot be told apart.

    The slow way for what no strict parser takes stops at one more than `at_most`.
    """
    try:
        return read_members(text)
    except UNREADABLE:
        if isinstance(text, bytes):
            text = text.decode(errors="surrogateescape")
        return [member.encode(errors="surrogateescape") for member in split_array(text, at_most)]


def is_ordinary(text: str | bytes, events: Sequence[Member]) -> bool:
    """Whether no event of the text is above the limit of size or has an escaped NUL: then none needs to be measured."""
    escape, nul = ("\\", ESCAPED_NUL.decode()) if isinstance(text, str) else (b"\\", ESCAPED_NUL)
    if escape in text and nul in text:  # type: ignore[operator]
        return False
    is_short = len(text) <= MAX_EVENT_BYTES // 4  # a character has at most 4 bytes
    return is_short or max([len(memoryview(event)) for event in events], default=0) <= MAX_EVENT_BYTES
