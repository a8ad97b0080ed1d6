"""Where the keys of a TOML text stand: tomllib gives values only, and an error without its line is hard to find.

Takes a text that tomllib has read without complaint.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

HEADER = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]")
KEY = re.compile(r"""\s*("[^"]*"|'[^']*'|[\w-]+)\s*[.=]""")
PART = re.compile(r'"""|\'\'\'|"(?:\\.|[^"\\])*"|\'[^\']*\'|\#.*|[\[\]{}]')
LONG_QUOTES = ('"""', "'''")


class Place(NamedTuple):
    """A key of the `nth` table of an array, counted from 0. An empty key: the table itself."""

    table: str
    nth: int
    key: str = ""


def lines_of(text: str) -> Mapping[Place, int]:
    """Line numbers, from 1, of the keys of top-level tables and arrays of tables. A table within one is a key of it."""
    return dict(reversed(list(_places(text))))  # reversed: the first line of a key stands


def _places(text: str) -> Iterator[tuple[Place, int]]:
    seen: Counter[str] = Counter()
    table, inner = "", ""
    for number, line in _statements(text):
        header = HEADER.match(line)
        if header is not None:
            table, _, inner = (part.strip().strip("\"'") for part in header[1].partition("."))
            seen[table] += not inner
            yield Place(table, seen[table] - 1, inner.partition(".")[0]), number
        elif (key := KEY.match(line)) is not None and not inner:
            yield Place(table, max(seen[table] - 1, 0), key[1].strip("\"'")), number


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Lines that begin a statement, with their numbers; not those within a long value."""
    depth, quotes = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if not depth and not quotes:
            yield number, line
            if HEADER.match(line) is not None:
                continue
        depth, quotes = _after(line, depth, quotes)


def _after(line: str, depth: int, quotes: str) -> tuple[int, str]:
    """How deep in brackets the line's end is, and in which long quotes."""
    for found in PART.finditer(line):
        part = found[0]
        if quotes:
            quotes = "" if part == quotes else quotes
        elif part in LONG_QUOTES:
            quotes = part
        else:
            depth += (part in "[{") - (part in "]}")
    return depth, quotes
