"""Definitions as cards: one piece of HTML per section, whatever is shown in it escaped."""

from html import escape

import streamlit as st

from cockpit.ui.language import translate
from cockpit.views.definitions import DefinitionsView, Entry, Fact, Section

STYLE = """
<style>
.ck-def { --line: color-mix(in srgb, currentColor 18%, transparent);
  --soft: color-mix(in srgb, currentColor 72%, transparent); }
.ck-def h2 { font-size: 1.125rem; font-weight: 600; margin: 1rem 0 0.5rem; padding: 0; }
.ck-def ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.75rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); }
.ck-def li { border: 1px solid var(--line); border-radius: 8px; padding: 0.875rem 1rem; margin: 0; min-width: 0; }
.ck-def h3 { font-size: 1rem; font-weight: 600; margin: 0 0 0.375rem; padding: 0; display: flex; flex-wrap: wrap;
  gap: 0.125rem 0.5rem; align-items: baseline; }
.ck-def code { font-size: 0.8125rem; background: none; padding: 0; color: inherit; overflow-wrap: anywhere; }
.ck-def h3 code { font-weight: 400; color: var(--soft); }
.ck-def p { margin: 0.375rem 0 0.625rem; line-height: 1.45; }
.ck-def .missing { border-left: 3px solid currentColor; padding-left: 0.625rem; }
.ck-def li dl { margin: 0; padding: 0; display: grid; grid-template-columns: minmax(6rem, max-content) 1fr;
  gap: 0.1875rem 0.75rem; font-size: 0.8125rem; }
.ck-def li dt, .ck-def li dd { margin: 0; padding: 0; min-width: 0; overflow-wrap: anywhere; font-weight: 400; }
.ck-def dt { color: var(--soft); }
</style>
"""


def draw(view: DefinitionsView) -> None:
    """What a search found, or that it found nothing."""
    if not view.found:
        st.info(translate("definitions.nothing", query=_plain(view.query)))
        return
    st.caption(translate("definitions.found", found=view.found, total=view.total))
    st.html(STYLE + "".join(_section(section) for section in view.sections))


def _section(section: Section) -> str:
    cards = "".join(_card(entry) for entry in section.entries)
    return f'<section class="ck-def"><h2>{escape(section.title)}</h2><ul>{cards}</ul></section>'


def _card(entry: Entry) -> str:
    definition = f"<p>{escape(entry.definition)}</p>" if entry.definition else ""
    missing = translate("definitions.missing_of")
    warning = (
        f'<p class="missing"><strong>{escape(missing)}.</strong> {escape(entry.warning)}</p>' if entry.warning else ""
    )
    return (
        f'<li data-entry="{escape(entry.id)}"><h3>{escape(entry.name)} <code>{escape(entry.id)}</code></h3>'
        f"{definition}{warning}<dl>{''.join(_fact(fact) for fact in entry.facts)}</dl></li>"
    )


def _fact(fact: Fact) -> str:
    text = f"<code>{escape(fact.text)}</code>" if fact.is_code else escape(fact.text)
    return f"<dt>{escape(fact.label)}</dt><dd>{text}</dd>"


def _plain(text: str) -> str:
    """What somebody typed, without the marks that Markdown would read."""
    return "".join(letter for letter in text if letter.isalnum() or letter in " _.,-")
