"""Records of a file: CSV by a mapping, or one Segment message per line; gzipped or not."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Self

import msgspec

from cockpit.errors import BadSetting
from ingest.replay.mapping import Mapping, Record, map_row, read_mapping


class Recording:
    """A file open for one reading. Lines count from 1, a CSV's header included."""

    def __init__(self, path: Path, mapping: Mapping | None) -> None:
        self.path = path
        self.mapping = mapping
        try:
            self._raw = path.open("rb")
        except OSError as error:
            raise BadSetting(f"cannot read {path}: {error.strerror}") from error
        self.size = path.stat().st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    @property
    def position(self) -> int:
        """Bytes of the file read so far, for a progress bar."""
        return self._raw.tell()

    def records(self) -> Iterator[Record]:
        """Every row or line that is not blank. BadSetting when the file itself is broken, after what could be read."""
        unpacked: IO[bytes] = gzip.GzipFile(fileobj=self._raw) if is_gzip(self.path) else self._raw  # type: ignore[assignment]
        try:
            yield from self._mapped(unpacked, self.mapping) if self.mapping else json_records(unpacked)
        except (EOFError, gzip.BadGzipFile, zlib.error, csv.Error) as error:
            raise BadSetting(f"{self.path.name} cannot be read any further: {error}") from error

    def _mapped(self, unpacked: IO[bytes], mapping: Mapping) -> Iterator[Record]:
        text = io.TextIOWrapper(unpacked, encoding="utf-8", errors="replace", newline="")
        try:
            yield from csv_records(text, mapping)
        finally:
            text.detach()  # the file itself stays open: its position is still asked for


def csv_records(text: io.TextIOBase, mapping: Mapping) -> Iterator[Record]:
    reader = csv.reader(text, delimiter=mapping.delimiter)
    header = next(reader, [])
    if absent := mapping.columns - set(header):
        raise BadSetting(f"the file has no column {', '.join(sorted(absent))}, which the mapping names")
    line = reader.line_num + 1
    for fields in reader:
        if fields:
            yield from map_row(mapping, header, fields, line)
        line = reader.line_num + 1


def json_records(lines: IO[bytes]) -> Iterator[Record]:
    """Segment messages. `sentAt` goes: it told the old gateway about a clock, and would mislead this one."""
    for line, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            message = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError as error:
            unread = text[:1000].decode(errors="replace")
            yield Record(line, {"properties": {"line": unread}}, None, f"no JSON object: {error}")
            continue
        message.pop("sentAt", None)
        yield Record(line, message, _message_instant(message))


def find_mapping(path: Path, folder: Path) -> Mapping | None:
    """None for NDJSON; for CSV the mapping of the folder whose columns the file's header has. BadSetting if not one."""
    if path.name.removesuffix(".gz").endswith((".ndjson", ".jsonl", ".json")):
        return None
    with gzip.open(path, "rt", newline="") if is_gzip(path) else path.open(newline="") as file:
        header = set(next(csv.reader(file), []))
    fitting = [one for each in sorted(folder.glob("replay_*.toml")) if (one := read_mapping(each)).columns <= header]
    if len(fitting) != 1:
        raise BadSetting(
            f"{len(fitting)} mappings of {folder} fit the columns of {path.name}: say which with --mapping"
        )
    return fitting[0]


def is_gzip(path: Path) -> bool:
    return path.suffix == ".gz"


def last_instant(path: Path, mapping: Mapping | None) -> datetime | None:
    """The latest time in the file, None when no line has one; reads it all."""
    with Recording(path, mapping) as recording:
        return max((record.at for record in recording.records() if record.at), default=None)


def _message_instant(message: dict[str, Any]) -> datetime | None:
    given = message.get("originalTimestamp") or message.get("timestamp")
    try:
        instant = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return instant.replace(tzinfo=UTC) if instant is not None and instant.tzinfo is None else instant
