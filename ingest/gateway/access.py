"""Write keys: who may send. The file holds a sha256 of each key, never the key."""

import fcntl
import hashlib
import hmac
import logging
import os
import re
import secrets
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from cockpit.errors import BadSetting, MachineError, SenderError
from cockpit.events.arrival import Sender
from cockpit.events.codes import Code

Kind = Literal["secret", "public"]

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}", re.ASCII)
QUERY_KEY = re.compile(r"([?&]key=)([^&\s\"]{0,6})[^&\s\"]*")
KEY_PREFIX = "wk_"
LOOK_SECONDS = 1.0

logger = logging.getLogger(__name__)


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """`events`: the only names it may send. `origins`: browsers' origins that may use it, as scheme://host:port."""

    name: str
    kind: Kind
    sha256: str
    currency: str | None = None
    origins: tuple[str, ...] = ()
    events: tuple[str, ...] | None = None
    needs_origin: bool = False
    disabled: bool = False


class KeysFile(msgspec.Struct, frozen=True):
    key: tuple[Key, ...] = ()


class Keys:
    """The keys of a file, read again when it changes. One that cannot be read is a MachineError, not an unknown key."""

    def __init__(self, path: Path, currency: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._currency = currency
        self._monotonic = monotonic
        self._looked_at = float("-inf")
        self._stamp: tuple[int, int] | None = None
        self._by_digest: dict[str, Key] = {}

    def sender(self, key: str, origin: str | None) -> Sender:
        """Whom the key stands for; SenderError with unknown_key, source_disabled or origin_not_allowed."""
        digest = sha256(key)
        found = self._current(LOOK_SECONDS).get(digest) or self._current(0).get(digest)
        if found is None or not hmac.compare_digest(found.sha256, digest):
            raise SenderError(Code.UNKNOWN_KEY, "unknown key")
        if found.disabled:
            raise SenderError(Code.SOURCE_DISABLED, "this key is switched off")
        if (origin is None and found.needs_origin) or (origin is not None and origin not in found.origins):
            raise SenderError(Code.ORIGIN_NOT_ALLOWED, "this origin may not use this key")
        events = None if found.events is None else frozenset(found.events)
        return Sender(found.name, found.kind == "secret", found.currency or self._currency, events)

    def _current(self, max_age_s: float) -> dict[str, Key]:
        now = self._monotonic()
        if now - self._looked_at >= max_age_s:
            self._looked_at = now
            stamp = file_stamp(self._path)
            if stamp != self._stamp:
                self._by_digest = {key.sha256: key for key in read_keys(self._path)}
                self._stamp = stamp
                logger.info("%d write keys", len(self._by_digest))
        return self._by_digest


def sha256(key: str) -> str:
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()


def file_stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino


def read_keys(path: Path) -> tuple[Key, ...]:
    """The keys of the file; none when it does not exist."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=KeysFile).key
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError, tomllib.TOMLDecodeError) as error:
        raise MachineError(f"the keys file {path.name} cannot be read: {error}") from error


def add_key(
    path: Path, name: str, kind: Kind = "secret", origins: Iterable[str] = (), currency: str | None = None
) -> str:
    """The text of a new key, which is nowhere kept; BadSetting when the name is taken or not a name."""
    text = ensure_key(path, name, kind, origins, currency)
    if text is None:
        raise BadSetting(f"there is a key named {name!r} already")
    return text


def ensure_key(
    path: Path, name: str, kind: Kind = "secret", origins: Iterable[str] = (), currency: str | None = None
) -> str | None:
    """The text of a new key, or None when the name has one already."""
    if not NAME.fullmatch(name):
        raise BadSetting(f"{name!r} is no name for a key: lower case letters, digits, '_', '.' and '-', at most 40")
    with _locked(path):
        keys = read_keys(path)
        if any(key.name == name for key in keys):
            return None
        text = KEY_PREFIX + secrets.token_urlsafe(24)
        new = Key(name=name, kind=kind, sha256=sha256(text), origins=tuple(origins), currency=currency)
        _write(path, (*keys, new))
    return text


def remove_key(path: Path, name: str) -> bool:
    """Whether there was one."""
    with _locked(path):
        keys = read_keys(path)
        _write(path, tuple(key for key in keys if key.name != name))
    return any(key.name == name for key in keys)


def redacted(line: str) -> str:
    """A log line with at most the first 6 characters of a key in a query."""
    return QUERY_KEY.sub(r"\1\2...", line)


class RedactKeys(logging.Filter):
    """Uvicorn writes each websocket's path with its query, so the key in it must go before any handler sees it."""

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        if "key=" in line:
            record.msg, record.args = redacted(line), ()
        return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(path: Path, keys: tuple[Key, ...]) -> None:
    """The whole file at once, readable by its owner only."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("# Write keys. Only their sha256 is kept: a lost key is replaced, not recovered.\n")
        file.writelines(_table(key) for key in keys)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path)


def _table(key: Key) -> str:
    """A TOML table; JSON's strings, arrays and booleans are TOML's."""
    fields = {name: value for name, value in msgspec.structs.asdict(key).items() if value not in (None, False, ())}
    return "\n[[key]]\n" + "".join(
        f"{name} = {msgspec.json.encode(value).decode()}\n" for name, value in fields.items()
    )
