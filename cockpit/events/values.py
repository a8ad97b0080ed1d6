"""Values that may be stored: finite, bounded, printable. The careful way, for what the strict types turn away."""

import re
from typing import Any

from cockpit.errors import SenderError
from cockpit.events.codes import Code

MAX_DEPTH = 32
MAX_PROPERTIES = 256
MAX_KEY = 128
LARGEST = 2**63 - 1

SURROGATES = re.compile("[\ud800-\udfff]")
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


def clean_text(text: str) -> str:
    """Without NUL, and with U+FFFD for each half of a broken surrogate pair (so that it can be encoded at all)."""
    return SURROGATES.sub("\ufffd", text.replace("\x00", ""))


def clean_name(text: str) -> str:
    """As clean_text, and without control characters but tab and line feed."""
    return CONTROLS.sub("", clean_text(text))


def clean_properties(properties: dict[str, Any]) -> dict[str, Any]:
    """The same object in storable values; SenderError when it is over a limit."""
    if len(properties) > MAX_PROPERTIES:
        raise SenderError(Code.TOO_MANY_PROPERTIES, f"{len(properties)} properties, at most {MAX_PROPERTIES}")
    return {clean_key(key): clean_value(value, 2) for key, value in properties.items()}


def clean_key(key: str) -> str:
    if len(key) > MAX_KEY:
        raise SenderError(Code.KEY_TOO_LONG, f"a key of {len(key)} characters, at most {MAX_KEY}")
    return clean_text(key)


def clean_value(value: Any, depth: int) -> Any:
    """Depth counts brackets: `properties` itself is 1. Whole numbers beyond 64 bits become text."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, int) and not -LARGEST <= value <= LARGEST:
        return str(value)
    if not isinstance(value, dict | list):
        return value
    if depth > MAX_DEPTH:
        raise SenderError(Code.TOO_DEEP, f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, list):
        return [clean_value(member, depth + 1) for member in value]
    return {clean_key(key): clean_value(member, depth + 1) for key, member in value.items()}
