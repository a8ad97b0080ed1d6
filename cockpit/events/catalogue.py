"""One name per event: the catalogue of `data/reference/events.toml`, read once.

Canonical names are GA4's and Cockpit's own; aliases are data. A name that the catalogue does not know keeps its own
name.
"""

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from cockpit.config import ROOT
from cockpit.events.values import clean_name

PATH = ROOT / "data" / "reference" / "events.toml"
REMEMBERED_NAMES = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """What a name on the wire stands for. `implied`: properties that the name itself says."""

    canonical: str
    sent: str
    is_known: bool
    implied: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Catalogue:
    """`exact`, `normal`: events by name. `properties`, `items`: column -> the names it is read from, best first.

    `carried`: the properties that an event is documented with.
    """

    exact: Mapping[str, Named]
    normal: Mapping[str, Named]
    server_side: frozenset[str]
    carried: Mapping[str, tuple[str, ...]]
    properties: Mapping[str, tuple[str, ...]]
    items: Mapping[str, tuple[str, ...]]
    channels: Mapping[str, str]
    places: Mapping[str, int]
    remembered: dict[str, Named] = field(default_factory=dict, compare=False)

    def named(self, sent: str) -> Named:
        """Exact, then by normal form, then under its own cleaned name."""
        found = self.exact.get(sent) or self.remembered.get(sent)
        return found or self._look_up(sent)

    def _look_up(self, sent: str) -> Named:
        name = unicodedata.normalize("NFC", clean_name(sent)).strip()
        known = self.normal.get(normal_form(name))
        named = replace(known, sent=name) if known else Named(name, name, is_known=False)
        if len(self.remembered) >= REMEMBERED_NAMES:
            self.remembered.clear()
        self.remembered[sent] = named
        return named


def normal_form(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold().replace(" ", "_").replace("-", "_")


@cache
def catalogue(path: Path = PATH) -> Catalogue:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    exact = dict(_names(document["events"]))
    return Catalogue(
        exact=exact,
        normal={normal_form(sent): named for sent, named in exact.items()},
        server_side=frozenset(name for name, event in document["events"].items() if event.get("server_side")),
        carried={name: tuple(event.get("properties", ())) for name, event in document["events"].items()},
        properties={column: tuple(names) for column, names in document["properties"].items()},
        items={column: tuple(names) for column, names in document["items"].items()},
        channels={alias: name for name, aliases in document["channels"].items() for alias in [name, *aliases]},
        places={code: int(places) for places, codes in document["currencies"].items() for code in codes},
    )


def _names(events: Mapping[str, Any]) -> list[tuple[str, Named]]:
    """Each canonical name and each alias, with what it stands for."""
    named = []
    for canonical, event in events.items():
        named.append((canonical, Named(canonical, canonical, is_known=True)))
        for alias in event.get("aliases", []):
            sent, implied = (alias, {}) if isinstance(alias, str) else (alias["name"], alias["set"])
            named.append((sent, Named(canonical, sent, is_known=True, implied=implied)))
    return named
