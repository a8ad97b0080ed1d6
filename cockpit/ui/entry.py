"""What runs before every page: language, navigation, header, bar of the alerts. Never beside `pages/`, see docs/adr."""

import streamlit as st

from cockpit.ui import assets, duty_bar, header, language, theme
from cockpit.ui.navigation import pages

st.set_page_config(page_title=language.translate("app.name"), page_icon=assets.STATIC / "favicon.svg", layout="wide")
theme.apply()
language.choose()
page = st.navigation(list(pages().values()), position="top")
if page.url_path != "operational":  # there the header is a part of the live panel
    header.draw()
duty_bar.draw(page.url_path)
page.run()
