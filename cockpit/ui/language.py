"""The language of a session: the URL's `lang`, else the browser's, else Portuguese."""

from typing import Any

import streamlit as st

from cockpit.i18n import translate as catalogue

KEY = "lang"


def choose() -> str:
    """Draw the choice on every page and give what is chosen.

    No `format_func`: a bound widget writes its label, not its option, into the URL (Streamlit 1.67).
    """
    st.segmented_control(
        catalogue.translate("app.language", _preferred()),
        catalogue.LANGUAGES,
        default=_preferred(),
        required=True,
        key=KEY,
        bind="query-params",
        label_visibility="collapsed",
    )
    return language()


def language() -> str:
    chosen = st.session_state.get(KEY)
    return chosen if chosen in catalogue.LANGUAGES else _preferred()


def translate(key: str, **values: Any) -> str:
    """A text in the language of this session."""
    return catalogue.translate(key, language(), **values)


def _preferred() -> str:
    return catalogue.language_of(st.context.locale)
