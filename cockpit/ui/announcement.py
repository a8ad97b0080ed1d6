"""A page that is not built yet says what it will answer and what it needs. It shows no number."""

import streamlit as st

from cockpit.ui.language import translate
from cockpit.ui.navigation import page


def announce(name: str) -> None:
    st.title(translate(f"nav.{name}"))
    st.header(translate(f"page.{name}.question"))
    st.info(translate("app.not_yet"), icon=":material/construction:")
    label = f"**{translate('app.open_operational')}** →"
    st.page_link(page("operational"), label=label, icon=":material/monitor_heart:")
    answers, needs = st.columns(2, gap="large")
    answers.subheader(translate("app.answers"))
    answers.write(translate(f"page.{name}.answers"))
    needs.subheader(translate("app.needs"))
    needs.write(translate(f"page.{name}.needs"))
