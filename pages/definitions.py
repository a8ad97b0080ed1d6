"""What does this number mean? The registry of KPIs and the catalogue of events, without the warehouse."""

import streamlit as st

from cockpit.ui.definitions import draw
from cockpit.ui.language import language, translate
from cockpit.views import definitions

with st.container(horizontal=True, vertical_alignment="center", gap="small", key="toolbar"):
    st.title(translate("nav.definitions"), anchor=False, width="content", help=translate("page.definitions.question"))
    st.space("stretch")
    query = st.text_input(
        translate("definitions.search"),
        key="q",
        bind="query-params",
        live=True,
        icon=":material/search:",
        placeholder=translate("definitions.search_hint"),
        label_visibility="collapsed",
        width=340,
    )

metrics, events, columns = st.tabs(
    [translate("definitions.metrics"), translate("definitions.events"), translate("definitions.properties")]
)
with metrics:
    draw(definitions.metrics(language(), query or ""))
with events:
    draw(definitions.events(language(), query or ""))
with columns:
    draw(definitions.columns(language(), query or ""))
