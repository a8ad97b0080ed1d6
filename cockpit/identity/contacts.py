"""Identifiers out of contact data: the SHA-256 that the ad platforms know a person by, never the address itself.

E-mail: trimmed and lower case. Phone: E.164 with its plus sign; without a country code it is Brazilian. Source: Google
Ads, *Enhanced conversions: normalize and hash user-provided data*. Two rules of others are not followed: Google
ignores dots in Gmail addresses, and Meta hashes a phone without its plus sign, so a phone that arrives hashed for Meta
is a number of its own here. What is no address or no number has no identifier: a merge by mistake costs more than a
merge that is missing.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any

SHA256 = re.compile("[0-9a-f]{64}")
ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
NO_DIGITS = re.compile("[^0-9]+")
# Anatel: an area code of two digits without 0, then 8 digits or, since 2016 for mobiles, a 9 and 8 digits.
BRAZILIAN = re.compile("[1-9]{2}(9[0-9]{8}|[2-9][0-9]{7})")
INTERNATIONAL = re.compile("[1-9][0-9]{7,14}")  # ITU-T E.164: at most 15 digits
BRAZIL = "55"


def email_id(text: str) -> str | None:
    """`e:<sha256>` of an address or of a hash of one; None when it is neither."""
    address = text.strip().lower()
    if SHA256.fullmatch(address):
        return f"e:{address}"
    return f"e:{sha256(address.encode()).hexdigest()}" if ADDRESS.fullmatch(address) else None


def phone_id(text: str) -> str | None:
    """`p:<sha256>` of a phone number or of a hash of one; None when it is neither."""
    given = text.strip().lower()
    if SHA256.fullmatch(given):
        return f"p:{given}"
    number = e164(given)
    return f"p:{sha256(number.encode()).hexdigest()}" if number else None


def e164(text: str) -> str | None:
    """The number as +<country><number>; None when it cannot be one.

    A country code is known by a plus sign, by 00, or by 55 in front of a full Brazilian number.
    """
    digits = NO_DIGITS.sub("", text)
    if "+" in text or digits.startswith("00"):
        digits = digits.removeprefix("00")
        if not digits.startswith(BRAZIL):
            return f"+{digits}" if INTERNATIONAL.fullmatch(digits) else None
        national = _brazilian(digits[2:])
    elif digits.startswith(BRAZIL) and len(digits) in (12, 13):
        national = _brazilian(digits[2:])
    else:
        national = _brazilian(digits)
    return f"+{BRAZIL}{national}" if national else None


def _brazilian(digits: str) -> str | None:
    """Area code and number, without the 0 of long distance and the two digits of the carrier that may follow it."""
    if digits.startswith("0"):
        digits = digits[3:] if len(digits) in (13, 14) else digits[1:]
    is_placeholder = len(set(digits[2:])) == 1  # 11 99999-9999, typed into a form that insists
    return digits if BRAZILIAN.fullmatch(digits) and not is_placeholder else None


EMAIL_TRAITS = (
    "email", "email_address", "emailAddress", "email_sha256", "emailSha256", "sha256_email", "sha256_email_address",
    "hashed_email", "hashedEmail", "email_hash", "em",
)  # fmt: skip
PHONE_TRAITS = (
    "phone", "phone_number", "phoneNumber", "mobile", "telefone", "celular", "phone_sha256", "phoneSha256",
    "sha256_phone", "sha256_phone_number", "hashed_phone", "hashedPhone", "phone_hash", "ph",
)  # fmt: skip
READERS: Mapping[str, Callable[[str], str | None]] = {
    **dict.fromkeys(EMAIL_TRAITS, email_id),
    **dict.fromkeys(PHONE_TRAITS, phone_id),
}


def contact_ids(traits: Mapping[str, Any]) -> Iterator[str]:
    """Identifiers of all addresses and numbers among the traits, raw or hashed."""
    for name in traits.keys() & READERS.keys():
        for text in _texts(traits[name]):
            identifier = READERS[name](text)
            if identifier:
                yield identifier


def _texts(value: object) -> list[str]:
    """A text, a number's digits, or several of them."""
    values = value if isinstance(value, list) else [value]
    return [str(one) for one in values if isinstance(one, str | int) and not isinstance(one, bool)]
