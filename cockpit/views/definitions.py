"""The definitions page: every KPI of the registry and every event of the catalogue, in words.

Law: nothing is said here that the registry and the catalogue do not say; it needs no warehouse.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cockpit.events.catalogue import Catalogue, catalogue
from cockpit.i18n.translate import texts, translate
from cockpit.kpis.formula import Described
from cockpit.kpis.kpi import Kpi, Window
from cockpit.kpis.registry import GROUPS, KPIS

SHORTEST_PART = 3  # shorter words of a search match whole words only: T1 is not T15


@dataclass(frozen=True)
class Fact:
    label: str
    text: str
    is_code: bool = False


@dataclass(frozen=True)
class Entry:
    """A KPI or an event, which has no definition but its facts. `warning`: why it has no value yet."""

    id: str
    name: str
    definition: str
    facts: tuple[Fact, ...]
    warning: str | None = None


@dataclass(frozen=True)
class Section:
    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class DefinitionsView:
    """What a search leaves; `total` is what there is."""

    sections: tuple[Section, ...]
    query: str
    total: int

    @property
    def found(self) -> int:
        return sum(len(section.entries) for section in self.sections)


def metrics(language: str, query: str = "") -> DefinitionsView:
    """The KPIs by group; those whose words hold every word of the query."""
    sections = [
        Section(translate(f"definitions.group.{group}", language), tuple(entry_of(kpi, language) for kpi in kpis))
        for group, kpis in GROUPS.items()
    ]
    return _searched(sections, query)


def events(language: str, query: str = "") -> DefinitionsView:
    """The events of the catalogue: other names, properties, and the KPIs that need them."""
    known = catalogue()
    names = list(dict.fromkeys(named.canonical for named in known.exact.values()))
    title = translate("definitions.events", language)
    return _searched([Section(title, tuple(_event(name, known, language) for name in names))], query)


def columns(language: str, query: str = "") -> DefinitionsView:
    """What each column of an event, and of each of its items, is read from."""
    known = catalogue()
    entries = (_columns("of_event", known.properties, language), _columns("of_item", known.items, language))
    return _searched([Section(translate("definitions.read_from", language), entries)], query)


def entry_of(kpi: Kpi, language: str) -> Entry:
    def say(key: str) -> str:
        return translate(f"definitions.{key}", language)

    words = texts(f"kpi.{kpi.id}", language)
    facts = (
        Fact(say("formula"), formula_of(kpi, language), is_code=not isinstance(kpi.formula, Described)),
        Fact(say("unit_of"), say(f"unit.{kpi.unit}")),
        Fact(say("window"), window_of(kpi.window, language)),
        Fact(say("counts"), say(f"denominator.{kpi.counts}")),
        Fact(say("sample"), str(kpi.minimum_sample) if kpi.minimum_sample else say("no_sample")),
        Fact(say("direction"), say(f"better.{kpi.better}")),
        Fact(say("uplift_of"), say(f"uplift.{kpi.uplift}")),
        Fact(say("needs_events"), ", ".join(kpi.events) or say("any_event"), is_code=bool(kpi.events)),
        Fact(say("screens"), ", ".join(kpi.screens)),
    )
    warning = say(f"missing.{kpi.missing}") if kpi.missing else None
    return Entry(kpi.id, words.get("name", words["label"]), words["definition"], facts, warning)


def formula_of(kpi: Kpi, language: str) -> str:
    """`failed ÷ (delivered + failed)`, or where it is computed, or a dash."""
    if not isinstance(kpi.formula, Described):
        return kpi.formula.symbols()
    where = kpi.formula.where
    key = "definitions.computed_in" if where else "definitions.none"
    return translate(key, language, where=where) if where else translate(key, language)


def window_of(window: Window, language: str) -> str:
    """`day of the click · up to 24 h after`."""
    parts = [translate(f"definitions.by.{window.by}", language)]
    if window.lengths:
        spans = ", ".join(span_of(length) for length in window.lengths)
        parts.append(translate("definitions.rolling", language, spans=spans))
    if window.within == "session":
        parts.append(translate("definitions.within_session", language))
    elif window.within:
        parts.append(translate("definitions.within", language, span=span_of(window.within)))
    if window.matured_days:
        parts.append(translate("definitions.matured", language, span=span_of(f"{window.matured_days}d")))
    return " · ".join(parts)


def span_of(length: str) -> str:
    """`24h` as `24 h`, kept on one line."""
    number, unit = re.fullmatch(r"(\d+)(min|h|d)", length).groups()  # type: ignore[union-attr]  # a test tries them all
    return f"{number}\u00a0{unit}"


def _event(name: str, known: Catalogue, language: str) -> Entry:
    def say(key: str, **values: object) -> str:
        return translate(f"definitions.{key}", language, **values)

    aliases = [
        say("implied", name=named.sent, properties=", ".join(f"{k} = {v}" for k, v in named.implied.items()))
        if named.implied
        else named.sent
        for named in known.exact.values()
        if named.canonical == name != named.sent
    ]
    users = [kpi.id for kpi in KPIS.values() if name in kpi.events]
    side = "server_side" if name in known.server_side else "client_side"
    facts = (
        Fact(say("side"), say(side)),
        Fact(say("aliases"), ", ".join(aliases) or say("none"), is_code=bool(aliases)),
        Fact(say("properties"), ", ".join(known.carried[name]) or say("none"), is_code=bool(known.carried[name])),
        Fact(say("used_by"), ", ".join(users) or say("none"), is_code=bool(users)),
    )
    return Entry(name, translate(f"event.{name}", language), "", facts)


def _columns(key: str, columns: Mapping[str, Iterable[str]], language: str) -> Entry:
    facts = tuple(Fact(column, ", ".join(names), is_code=True) for column, names in columns.items())
    title, note = (translate(f"definitions.{one}", language) for one in (key, "read_from_note"))
    return Entry(key, title, note, facts)


def _searched(sections: Iterable[Section], query: str) -> DefinitionsView:
    everything = list(sections)
    words = _folded(query).split()
    left = [
        Section(section.title, tuple(entry for entry in section.entries if _holds(entry, words)))
        for section in everything
    ]
    total = sum(len(section.entries) for section in everything)
    return DefinitionsView(tuple(section for section in left if section.entries), query.strip(), total)


def _holds(entry: Entry, words: Iterable[str]) -> bool:
    facts = [f"{fact.label} {fact.text}" for fact in entry.facts]
    text = _folded(" ".join([entry.id, entry.name, entry.definition, entry.warning or "", *facts]))
    whole = set(re.findall(r"\w+", text))
    return all(word in whole or (len(word) >= SHORTEST_PART and word in text) for word in words)


def _folded(text: str) -> str:
    """Without accents and case, as people type a search."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
