"""What is wrong, and who has it? The URL names the view and the rule."""

import streamlit as st

from cockpit.ui.alerts import board, choice
from cockpit.ui.language import translate

with st.container(horizontal=True, vertical_alignment="center", gap="small", key="toolbar"):
    st.title(translate("nav.alerts"), anchor=False, width="content", help=translate("page.alerts.question"))
    st.space("stretch")
    view = choice.view()

board.draw(view)
