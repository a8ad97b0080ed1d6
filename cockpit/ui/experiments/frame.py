"""What stands around the experiments: their look, and what is said where there is nothing to draw."""

from string import punctuation

import streamlit as st

from cockpit.ui import theme
from cockpit.ui.experiments import markup
from cockpit.ui.language import language, translate
from cockpit.ui.navigation import page

NAMED = ("experiment", "version", "metric")  # in the URL


def dress() -> None:
    """The rules of our own markup, in the colours of this page."""
    st.html(f"<style>{markup.style(theme.palette())}{markup.RULES}</style>")


def asked() -> tuple[str | None, str | None]:
    """Experiment and version that the URL names.

    They are written to it again, or wiped: a link from a page to itself hands its parameters over, but the address bar
    keeps the former ones, which the next run would then be told (Streamlit 1.67).
    """
    found = {key: st.query_params.get(key) for key in NAMED}
    for key, value in found.items():
        st.query_params[key] = value or ""
        if value is None:
            del st.query_params[key]
    return found["experiment"], found["version"]


def down() -> None:
    st.error(_said("down"), icon=":material/cloud_off:")


def none_yet() -> None:
    st.info(_said("none"), icon=":material/science:")


def nobody_yet(*, is_draft: bool) -> None:
    helped = translate("experiments.nobody_help_draft" if is_draft else "experiments.nobody_help")
    st.info(f"**{translate('experiments.nobody_yet')}** {helped}", icon=":material/hourglass:")


def unknown(name: str) -> None:
    """The URL names what there is not."""
    st.warning(translate("experiments.unknown", name=plain(name)), icon=":material/help:")
    back()


def back() -> None:
    label = translate("experiments.back")
    st.page_link(page("experiments"), label=label, icon=":material/arrow_back:", query_params={"lang": language()})


def plain(text: str) -> str:
    """A name that a sender or a URL gave, without the marks that Markdown would read."""
    return "".join(f"\\{letter}" if letter in punctuation else letter for letter in text)


def _said(key: str) -> str:
    """What is the matter, and what to do."""
    return f"**{translate(f'experiments.{key}')}** {translate(f'experiments.{key}_help')}"
