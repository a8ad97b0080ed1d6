import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from cockpit.config import ROOT
from cockpit.events.catalogue import catalogue as events
from cockpit.i18n.translate import FILES, catalogue, language_of, texts, translate

PAGES = sorted((ROOT / "pages").glob("*.py"))
SCREENS = [*PAGES, *sorted((ROOT / "cockpit" / "ui").rglob("*.py"))]
MODULES = sorted((ROOT / "cockpit" / "ui" / "live").glob("*.js"))
CODE = re.compile(r"[a-z0-9_./:-]*")


def words_of(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys() -> None:
    assert catalogue("pt").keys() == catalogue("en").keys()


def test_a_text_takes_the_same_values_in_both_languages() -> None:
    assert {key: words_of(text) for key, text in catalogue("pt").items()} == {
        key: words_of(text) for key, text in catalogue("en").items()
    }


@pytest.mark.parametrize("language", FILES)
def test_no_text_is_empty(language: str) -> None:
    assert [key for key, text in catalogue(language).items() if not text.strip()] == []


def calls_of_translate(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "translate":
            first = node.args[0]
            if isinstance(first, ast.Constant):
                yield str(first.value)
            elif isinstance(first, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in first.values)


def test_every_text_asked_for_exists() -> None:
    asked = {key for path in SCREENS for key in calls_of_translate(path)}
    assert asked
    missing = [
        key
        for key in asked
        if not any(re.fullmatch(re.escape(key).replace(r"\*", r"[^.]+"), known) for known in catalogue("pt"))
    ]
    assert missing == []


def test_every_text_the_live_component_names_exists() -> None:
    named = {word for path in MODULES for word in re.findall(r"texts\.(\w+)", path.read_text(encoding="utf-8"))}
    assert named
    assert named <= texts("live", "pt").keys()


def test_every_text_of_the_live_component_is_used() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in MODULES)
    built = {"intake_received", "intake_stored", "intake_duplicate", "intake_refused"}
    unused = [key for key in texts("live", "pt") if not re.search(rf'texts\.{key}\b|"{key}"', source)]
    assert set(unused) == built


def test_every_event_and_channel_of_the_catalogue_has_a_label() -> None:
    names = {named.canonical for named in events().exact.values()}
    assert names <= texts("event", "pt").keys()
    assert set(events().channels.values()) <= texts("channel", "pt").keys()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_holds_no_words_of_its_own(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    literals = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]
    assert [text for text in literals if not CODE.fullmatch(text)] == []


def test_the_live_component_holds_no_portuguese_of_its_own() -> None:
    accented = re.compile(r"[áàâãéêíóôõúç]", re.IGNORECASE)
    assert [path.name for path in MODULES if accented.search(path.read_text(encoding="utf-8"))] == []


def test_values_are_filled_in() -> None:
    assert translate("live.paused_at", "en", time="15:42") == "since 15:42 · data keeps coming in"


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        translate("live.nothing_of_this_name", "pt")


@pytest.mark.parametrize(
    ("locale", "language"), [("pt-BR", "pt"), ("en-US", "en"), ("en", "en"), ("de-DE", "pt"), (None, "pt"), ("", "pt")]
)
def test_the_browsers_language_chooses_and_portuguese_is_the_default(locale: str | None, language: str) -> None:
    assert language_of(locale) == language
