"""From the row of a foreign table to a Segment message, by a mapping file."""

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import msgspec

from cockpit.errors import BadSetting


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the events that a row stands for, `after_s` seconds after it, if its columns are as `when` says."""

    event: str
    when: dict[str, str] = {}
    after_s: float = 0
    properties: dict[str, str] = {}
    constants: dict[str, str | int | float] = {}


class Invented(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file does not have: line n happens `n * apart_s` seconds after `begins_at`, to the user `<user><n>`."""

    begins_at: Annotated[datetime, msgspec.Meta(tz=True)]
    apart_s: float
    user: str


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the columns of a CSV file mean. Column names are the values; `numbers` are columns of decimal numbers.

    `time_format` is strptime's; an instant without an offset is UTC. An event name that `events` does not have is sent
    as it is; so is the value of a column that is not in its `words`. Without `message_id` the id is made of the file's
    name and the line's number. With `steps` a row is several events; with `invented` it needs no time and no id.
    """

    time: str | None = None
    time_format: str = ""
    event: str | None = None
    events: dict[str, str] = {}
    user_id: str | None = None
    anonymous_id: str | None = None
    message_id: str | None = None
    required: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    words: dict[str, dict[str, str]] = {}
    properties: dict[str, str] = {}
    item: dict[str, str] = {}
    item_constants: dict[str, str | int | float] = {}
    constants: dict[str, str | int | float] = {}
    steps: tuple[Step, ...] = ()
    invented: Invented | None = None
    delimiter: str = ","

    def __post_init__(self) -> None:
        if (self.time is None) == (self.invented is None):
            raise ValueError("either a column `time` or `invented` says when a row happened")
        if (self.event is None) == (not self.steps):
            raise ValueError("either a column `event` or `steps` say what happened")

    @property
    def columns(self) -> frozenset[str]:
        single = (self.time, self.event, self.user_id, self.anonymous_id, self.message_id)
        many = (self.properties.values(), self.item.values(), *(step.properties.values() for step in self.steps))
        conditions = (step.when for step in self.steps)
        return frozenset({*self.required, *self.numbers, *self.words, *filter(None, single)}.union(*many, *conditions))


class Record(msgspec.Struct, frozen=True):
    """One line of a file, or one of its steps, as a message without its final dates.

    `fault` says why it will be refused, if we know. The last record of a line says that it is.
    """

    line: int
    message: dict[str, Any]
    at: datetime | None = None
    fault: str | None = None
    step: int = 0
    is_last: bool = True


def read_mapping(path: Path) -> Mapping:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Mapping)
    except (OSError, msgspec.DecodeError) as error:
        raise BadSetting(f"mapping {path}: {error}") from error


def map_row(mapping: Mapping, header: Sequence[str], fields: Sequence[str], line: int) -> list[Record]:
    """The row as messages. What cannot be read whole is not guessed: a message travels without ids, to be refused.

    A row that ends early was cut off, and so may be the last field that it has: that field is not used.
    """
    whole = fields if len(fields) >= len(header) else fields[:-1]
    row = {name: value for name, value in zip(header, whole, strict=False) if value != ""}
    at = _when(mapping, row, line)
    fault = _fault(mapping, header, fields, row, at)
    if fault is not None or not mapping.steps:
        return [Record(line, _message(mapping, row, fault, line), at, fault)]
    taken = [(place, step) for place, step in enumerate(mapping.steps) if step.when.items() <= row.items()]
    return [
        Record(
            line,
            _step_message(mapping, step, row, line),
            at + timedelta(seconds=step.after_s) if at else None,
            step=place,
            is_last=place == taken[-1][0],
        )
        for place, step in taken
    ]


def _message(mapping: Mapping, row: AnyMapping[str, str], fault: str | None, line: int) -> dict[str, Any]:
    message: dict[str, Any] = {"type": "track", "properties": _properties(mapping, row)}
    event = row.get(mapping.event or "")
    if event is not None:
        message["event"] = mapping.events.get(event, event)
    columns = {"messageId": mapping.message_id}
    if fault is None:
        columns |= {"userId": mapping.user_id, "anonymousId": mapping.anonymous_id}
        if mapping.invented:
            message["userId"] = f"{mapping.invented.user}{line}"
    return message | {name: row[column] for name, column in columns.items() if column and column in row}


def _step_message(mapping: Mapping, step: Step, row: AnyMapping[str, str], line: int) -> dict[str, Any]:
    message = _message(mapping, row, None, line)
    properties = {**message["properties"], **step.constants, **_values(mapping, step.properties, row)}
    return {**message, "event": step.event, "properties": properties}


def _fault(
    mapping: Mapping, header: Sequence[str], fields: Sequence[str], row: AnyMapping[str, str], at: datetime | None
) -> str | None:
    missing = [name for name in mapping.required if name not in row]
    if missing:
        ends = f"; the row ends after {len(fields)} of {len(header)} fields" if len(fields) < len(header) else ""
        return f"no {', '.join(missing)}{ends}"
    if len(fields) > len(header):
        return f"{len(fields)} fields, but {len(header)} columns"
    if at is None and mapping.time:
        return f"{mapping.time} {row.get(mapping.time)!r} is not like {mapping.time_format!r}"
    return None


def _properties(mapping: Mapping, row: AnyMapping[str, str]) -> dict[str, Any]:
    properties: dict[str, Any] = {**mapping.constants, **_values(mapping, mapping.properties, row)}
    if item := _values(mapping, mapping.item, row):
        properties["items"] = [{**item, **mapping.item_constants}]
    return properties


def _values(mapping: Mapping, columns: AnyMapping[str, str], row: AnyMapping[str, str]) -> dict[str, str | float]:
    """By property, where the row has the column."""
    return {name: _value(mapping, column, row[column]) for name, column in columns.items() if column in row}


def _value(mapping: Mapping, column: str, text: str) -> str | float:
    """A number where the mapping says so and it is one; else the text or its word, and the gateway judges."""
    if column not in mapping.numbers:
        return mapping.words.get(column, {}).get(text, text)
    try:
        return float(text)
    except ValueError:
        return text


def _when(mapping: Mapping, row: AnyMapping[str, str], line: int) -> datetime | None:
    if mapping.invented:
        return mapping.invented.begins_at + timedelta(seconds=line * mapping.invented.apart_s)
    return _instant(row.get(mapping.time or ""), mapping.time_format)


@lru_cache(maxsize=1024)
def _instant(text: str | None, time_format: str) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.strptime(text, time_format)  # noqa: DTZ007 - the offset is added where the format has none
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
