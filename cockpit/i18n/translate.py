"""The words of the screens: two complete catalogues, one key per text."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FILES = {"pt": "pt_BR.toml", "en": "en.toml"}
LANGUAGES = tuple(FILES)
DEFAULT = "pt"


def translate(key: str, language: str, /, **values: object) -> str:
    """The text of a dotted key, its `{names}` filled in. A key that is not in the catalogue is a bug: KeyError."""
    text = catalogue(language)[key]
    return text.format(**values) if values else text


def texts(prefix: str, language: str) -> dict[str, str]:
    """All texts below a prefix, keys without it: what a component in the browser is handed."""
    start = f"{prefix}."
    return {key[len(start) :]: text for key, text in catalogue(language).items() if key.startswith(start)}


def language_of(locale: str | None) -> str:
    """The catalogue for a browser's locale such as `en-US`; Portuguese when it is neither."""
    primary = (locale or "").lower().replace("_", "-").partition("-")[0]
    return primary if primary in FILES else DEFAULT


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Dotted key to text."""
    path = Path(__file__).with_name(FILES[language])
    return dict(_flatten(tomllib.loads(path.read_text(encoding="utf-8")), ""))


def _flatten(table: Mapping[str, Any], prefix: str) -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for key, value in table.items():
        flat += _flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [(f"{prefix}{key}", value)]
    return flat
