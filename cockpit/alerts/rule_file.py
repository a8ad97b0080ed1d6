"""Reads a rule file: whole and valid, or not at all. The same reading is the check of a file before it is used.

Law: whatever is wrong is said at once, each with file, line, table and key.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple, TypeVar

import msgspec

from cockpit.alerts import agreement
from cockpit.alerts.keys import GROUPING_KEYS, INHIBIT_KEYS, MUTE_KEYS, RECEIVER_KEYS, RULE_KEYS, Key
from cockpit.alerts.places import Place, lines_of
from cockpit.alerts.rules import Grouping, Inhibit, Known, Mute, Receiver, Rule, RuleFile
from cockpit.errors import CallerError

LINE_OF_TOML = re.compile(r"at line (\d+)")
TABLES = ("rule", "receiver", "mute", "inhibit", "grouping")
NAMING = ("id", "name", "source")

Row = Mapping[str, Any]
Made = TypeVar("Made", bound=msgspec.Struct)


class Problem(NamedTuple):
    """`table`: which one of the file, by its name if it has one. `key`: empty if it is about the table."""

    line: int
    table: str
    key: str
    text: str


class BadRules(CallerError):  # noqa: N818 - named by what happened
    """The rule file is not valid. The message has a line for each problem."""

    def __init__(self, file_name: str, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(f"{file_name}:{_said(problem)}" for problem in problems))


def read_rules(text: str, file_name: str, known: Known) -> RuleFile:
    """The file's rules, receivers, mutes and inhibitions. BadRules says all that is wrong with it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = LINE_OF_TOML.search(str(error))
        problem = Problem(int(line[1]) if line else len(text.splitlines()), "", "", f"no TOML: {error}")
        raise BadRules(file_name, (problem,)) from error
    reader = _Reader(document, lines_of(text))
    file = reader.file(known)
    if reader.problems:
        raise BadRules(file_name, tuple(sorted(reader.problems)))
    metrics = known.metrics
    rules = (
        msgspec.structs.replace(rule, is_derived=metrics[rule.metric].is_derived, unit=metrics[rule.metric].unit)
        for rule in file.rules
    )
    return msgspec.structs.replace(file, rules=tuple(rules))


def _said(problem: Problem) -> str:
    where = ", ".join(part for part in (problem.table, problem.key) if part)
    return f"{problem.line}: {where}: {problem.text}" if where else f"{problem.line}: {problem.text}"


class _Reader:
    """Collects what is wrong on the way."""

    def __init__(self, document: Row, lines: Mapping[Place, int]) -> None:
        self._document = document
        self._lines = lines
        self.problems: list[Problem] = []

    def file(self, known: Known) -> RuleFile:
        """Of the tables that can be read."""
        for name in self._document:
            if name not in TABLES:
                self._complain(Place(name, 0), f"a rule file has no {name!r}; it has {', '.join(TABLES)}")
        rules = list(self._array("rule", RULE_KEYS, Rule))
        receivers = list(self._array("receiver", RECEIVER_KEYS, Receiver))
        mutes = list(self._array("mute", MUTE_KEYS, Mute))
        inhibits = list(self._array("inhibit", INHIBIT_KEYS, Inhibit))
        ids, names = self._names("rule", "id"), self._names("receiver", "name")
        self._names("mute", "name")
        self._compare(rules, lambda rule: agreement.of_rule(rule, names, known))
        self._compare(receivers, lambda receiver: agreement.of_receiver(receiver, names))
        self._compare(mutes, lambda mute: agreement.of_mute(mute, ids))
        self._compare(inhibits, lambda inhibit: agreement.of_inhibit(inhibit, ids))
        return RuleFile(
            rules=tuple(rule for _, rule in rules),
            receivers=tuple(receiver for _, receiver in receivers),
            mutes=tuple(mute for _, mute in mutes),
            inhibits=tuple(inhibit for _, inhibit in inhibits),
            grouping=self._grouping(),
        )

    def _grouping(self) -> Grouping:
        place, row = Place("grouping", 0), self._document.get("grouping", {})
        if not isinstance(row, dict):
            self._complain(place, "is written [grouping]")
            return Grouping()
        return self._made(place, row, GROUPING_KEYS, Grouping) or Grouping()

    def _array(self, table: str, keys: Mapping[str, Key], kind: type[Made]) -> Iterator[tuple[Place, Made]]:
        if self._rows(table) is None:
            self._complain(Place(table, 0), f"is written [[{table}]]")
        for nth, row in enumerate(self._rows(table) or ()):
            place = Place(table, nth)
            made = self._made(place, row, keys, kind)
            if made is not None:
                yield place, made

    def _made(self, place: Place, row: Row, keys: Mapping[str, Key], kind: type[Made]) -> Made | None:
        """None if something of it is wrong."""
        known = len(self.problems)
        for name in row:
            if name not in keys:
                like = get_close_matches(name, keys, 1)
                self._complain(place._replace(key=name), f"there is no such key{f'; {like[0]}?' if like else ''}")
        for name, key in keys.items():
            if key.is_required and name not in row:
                self._complain(place, f"has no {name!r}")
        fields = {keys[name].field or name: self._read(place, name, keys, row) for name in row if name in keys}
        return kind(**fields) if len(self.problems) == known else None

    def _read(self, place: Place, name: str, keys: Mapping[str, Key], row: Row) -> Any:
        if name != "runbook" and "://" in str(row[name]):
            self._complain(place._replace(key=name), "holds an address: those are secrets and never in the file")
            return None
        try:
            return keys[name].read(row[name])
        except ValueError as error:
            self._complain(place._replace(key=name), str(error))
            return None

    def _names(self, table: str, key: str) -> set[str]:
        """Also of the tables that cannot be read: that is one problem, not two."""
        names: set[str] = set()
        for nth, row in enumerate(self._rows(table) or ()):
            name = row.get(key)
            if isinstance(name, str):
                if name in names:
                    self._complain(Place(table, nth, key), f"{name!r} is there already")
                names.add(name)
        return names

    def _compare(
        self, made: Iterable[tuple[Place, Made]], compare: Callable[[Made], Iterator[agreement.Disagreement]]
    ) -> None:
        for place, value in made:
            for key, text in compare(value):
                self._complain(place._replace(key=key), text)

    def _complain(self, place: Place, text: str) -> None:
        line = self._lines.get(place) or self._lines.get(place._replace(key="")) or 1
        self.problems.append(Problem(line, self._called(place), place.key, text))

    def _called(self, place: Place) -> str:
        rows = self._rows(place.table)
        if not rows:
            return place.table
        name = next((row for key in NAMING if isinstance(row := rows[place.nth].get(key), str)), place.nth + 1)
        return f"{place.table} {name}"

    def _rows(self, table: str) -> list[Row] | None:
        """None if it is no array of tables."""
        rows = self._document.get(table, [])
        is_array = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
        return rows if is_array else None
