"""From the row of a foreign table to a Segment message, by a mapping file."""

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from cockpit.errors import BadSetting


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the columns of a CSV file mean. Column names are the values; `numbers` are columns of decimal numbers.

    `time_format` is strptime's; an instant without an offset is UTC. An event name that `events` does not have is sent
    as it is. Without `message_id` the id is made of the file's name and the line's number.
    """

    time: str
    time_format: str
    event: str
    events: dict[str, str] = {}
    user_id: str | None = None
    anonymous_id: str | None = None
    message_id: str | None = None
    required: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    properties: dict[str, str] = {}
    item: dict[str, str] = {}
    item_constants: dict[str, str | int | float] = {}
    constants: dict[str, str | int | float] = {}
    delimiter: str = ","

    @property
    def columns(self) -> frozenset[str]:
        single = (self.time, self.event, self.user_id, self.anonymous_id, self.message_id)
        return frozenset(
            {*self.required, *self.numbers, *self.properties.values(), *self.item.values(), *filter(None, single)}
        )


class Record(msgspec.Struct, frozen=True):
    """One line of a file as a message without its final dates. `fault` says why it will be refused, if we know."""

    line: int
    message: dict[str, Any]
    at: datetime | None = None
    fault: str | None = None


def read_mapping(path: Path) -> Mapping:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Mapping)
    except (OSError, msgspec.DecodeError) as error:
        raise BadSetting(f"mapping {path}: {error}") from error


def map_row(mapping: Mapping, header: Sequence[str], fields: Sequence[str], line: int) -> Record:
    """The row as a message. What cannot be read whole is not guessed: the message travels without ids, to be refused.

    A row that ends early was cut off, and so may be the last field that it has: that field is not used.
    """
    whole = fields if len(fields) >= len(header) else fields[:-1]
    row = {name: value for name, value in zip(header, whole, strict=False) if value != ""}
    at = _instant(row.get(mapping.time), mapping.time_format)
    fault = _fault(mapping, header, fields, row, at)
    event = row.get(mapping.event)
    message: dict[str, Any] = {"type": "track", "properties": _properties(mapping, row)}
    if event is not None:
        message["event"] = mapping.events.get(event, event)
    if mapping.message_id in row:
        message["messageId"] = row[mapping.message_id]
    if fault is None:
        ids = {"userId": mapping.user_id, "anonymousId": mapping.anonymous_id}
        message |= {name: row[column] for name, column in ids.items() if column in row}
    return Record(line, message, at, fault)


def _fault(
    mapping: Mapping, header: Sequence[str], fields: Sequence[str], row: AnyMapping[str, str], at: datetime | None
) -> str | None:
    missing = [name for name in mapping.required if name not in row]
    if missing:
        ends = f"; the row ends after {len(fields)} of {len(header)} fields" if len(fields) < len(header) else ""
        return f"no {', '.join(missing)}{ends}"
    if len(fields) > len(header):
        return f"{len(fields)} fields, but {len(header)} columns"
    return None if at is not None else f"{mapping.time} {row.get(mapping.time)!r} is not like {mapping.time_format!r}"


def _properties(mapping: Mapping, row: AnyMapping[str, str]) -> dict[str, Any]:
    properties: dict[str, Any] = dict(mapping.constants)
    properties |= {
        name: _value(mapping, column, row[column]) for name, column in mapping.properties.items() if column in row
    }
    item = {name: _value(mapping, column, row[column]) for name, column in mapping.item.items() if column in row}
    if item:
        properties["items"] = [{**item, **mapping.item_constants}]
    return properties


def _value(mapping: Mapping, column: str, text: str) -> str | float:
    """A number where the mapping says so and it is one; else the text, and the gateway judges."""
    if column not in mapping.numbers:
        return text
    try:
        return float(text)
    except ValueError:
        return text


@lru_cache(maxsize=1024)
def _instant(text: str | None, time_format: str) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.strptime(text, time_format)  # noqa: DTZ007 - the offset is added where the format has none
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
