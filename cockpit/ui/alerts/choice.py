"""What the page shows, kept in the URL by codes that are the same in every language."""

from collections.abc import Mapping, Sequence

import streamlit as st

from cockpit.ui.language import language, translate

VIEWS = ("now", "history", "rules", "silences", "deliveries")
EVERY = ""


def view() -> str:
    labels = {code: translate(f"alerts.page.view.{code}") for code in VIEWS}
    key = _begun("view", VIEWS)
    chosen = st.segmented_control(
        translate("nav.alerts"),
        VIEWS,
        format_func=labels.__getitem__,
        required=True,
        key=key,
        on_change=_remember,
        args=("view", key, VIEWS[0]),
        label_visibility="collapsed",
    )
    return chosen or VIEWS[0]


def rule(names: Mapping[str, str]) -> str | None:
    """One of `names`, by id; None: all of them."""
    key = _begun("rule", (EVERY, *names))
    chosen: str = st.selectbox(
        translate("alerts.page.rule_filter"),
        (EVERY, *names),
        format_func=lambda code: names.get(code) or translate("alerts.page.every_rule"),
        key=key,
        on_change=_remember,
        args=("rule", key, EVERY),
        width=320,
    )
    return chosen or None


def _begun(name: str, options: Sequence[str]) -> str:
    """The widget's key, with what the URL says. It holds the language: Streamlit remembers a choice by its label."""
    key = f"alerts_{name}_{language()}"
    asked = st.query_params.get(name)
    if st.session_state.get(key) not in options:
        st.session_state[key] = asked if asked in options else options[0]
    return key


def _remember(name: str, key: str, usual: str) -> None:
    if st.session_state[key] == usual:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = st.session_state[key]
