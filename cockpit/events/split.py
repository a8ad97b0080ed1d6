"""Members of a document that no strict parser takes, so that one bad event does not cost its neighbours.

Strict parsers fail a whole body for one NaN, one broken surrogate pair or one member nested a thousand deep. Only
then is the text cut into members here, each of which is judged strictly on its own.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from cockpit.errors import SenderError
from cockpit.events.codes import Code

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},"]', re.DOTALL)
KEY = re.compile(r'("(?:[^"\\]|\\.)*")[ \t\n\r]*:[ \t\n\r]*', re.DOTALL)
SPACE = re.compile(r"[ \t\n\r]*")


def split_array(text: str, at_most: int | None = None) -> list[str]:
    """The members of a JSON array as they were written; SenderError when brackets and quotes do not match.

    Stops behind `at_most` members, so one more than that says only that there are too many.
    """
    spans = islice(_spans(text, "[", "]"), None if at_most is None else at_most + 1)
    return [text[start:end] for start, end in spans]


def split_object(text: str) -> dict[str, str]:
    """The values of a JSON object as they were written; of a key given twice the last."""
    members = {}
    for start, end in _spans(text, "{", "}"):
        key = KEY.match(text, start, end)
        if key is None:
            raise not_json()
        members[_read_key(key.group(1))] = text[key.end() : end]
    return members


def _read_key(quoted: str) -> str:
    try:
        return str(json.loads(quoted, strict=False))
    except ValueError as error:
        raise not_json() from error


def not_json() -> SenderError:
    return SenderError(Code.INVALID_JSON, "not JSON, or JSON of another shape than an object or an array")


def _spans(text: str, opening: str, closing: str) -> Iterator[tuple[int, int]]:
    """Start and end of each member at the top level."""
    start = _skip(text, 0)
    if text[start : start + 1] != opening:
        raise not_json()
    depth, begin = 0, start + 1
    for token in TOKEN.finditer(text, start):
        mark = token.group()
        if mark == '"':  # a string that never ends
            raise not_json()
        if mark in ("[", "{"):
            depth += 1
        elif mark in ("]", "}"):
            depth -= 1
        if depth == 0 or (depth == 1 and mark == ","):
            yield from _member(text, begin, token.start(), is_last=depth == 0)
            begin = token.end()
        if depth == 0:
            break
    else:
        raise not_json()
    if mark != closing or _skip(text, begin) != len(text):
        raise not_json()


def _member(text: str, begin: int, end: int, *, is_last: bool) -> Iterator[tuple[int, int]]:
    begin = _skip(text, begin)
    if begin < end:
        yield begin, end
    elif not is_last:
        raise not_json()


def _skip(text: str, at: int) -> int:
    found: Any = SPACE.match(text, at)
    return int(found.end())
