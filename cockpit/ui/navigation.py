"""The seven pages: their files, icons and addresses."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from cockpit.config import ROOT
from cockpit.ui.language import translate

ICONS = {
    "executive": ":material/trending_up:",
    "tactical": ":material/target:",
    "operational": ":material/monitor_heart:",
    "experiments": ":material/science:",
    "alerts": ":material/notifications:",
    "governance": ":material/verified_user:",
    "definitions": ":material/menu_book:",
}


def pages() -> dict[str, StreamlitPage]:
    """By name, in the order of the navigation. The default page answers at `/` only."""
    return {name: page(name) for name in ICONS}


def page(name: str) -> StreamlitPage:
    file = ROOT / "pages" / f"{name}.py"
    title = translate(f"nav.{name}")
    return st.Page(file, title=title, icon=ICONS[name], url_path=name, default=name == "executive")
