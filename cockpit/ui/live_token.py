"""The pass that a page gives its live component: short-lived, signed, good for opening one connection."""

import base64
import binascii
import hashlib
import hmac

import msgspec

LIFE_S = 60


class Claims(msgspec.Struct, frozen=True):
    role: str
    expires_at: int  # seconds since 1970


def sign(role: str, secret: str, now_s: float) -> str:
    """`<claims>.<signature>`, both base64url."""
    claims = msgspec.json.encode(Claims(role, int(now_s) + LIFE_S))
    return f"{_text(claims)}.{_text(_signature(claims, secret))}"


def check(token: str, secret: str, now_s: float) -> Claims | None:
    """The claims of a token that this installation signed and that has not expired; else None."""
    try:
        claims, signature = (base64.urlsafe_b64decode(part) for part in token.encode("ascii").split(b"."))
        if not hmac.compare_digest(signature, _signature(claims, secret)):
            return None
        decoded = msgspec.json.decode(claims, type=Claims)
    except (ValueError, binascii.Error, msgspec.DecodeError):
        return None
    return decoded if decoded.expires_at >= now_s else None


def _signature(claims: bytes, secret: str) -> bytes:
    return hmac.new(secret.encode(), b"live:" + claims, hashlib.sha256).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()
