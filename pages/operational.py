"""Is everything all right now? One live component; Streamlit only draws the filters."""

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from cockpit.errors import WarehouseUnreachable
from cockpit.ui import filters, live_view
from cockpit.ui.language import translate
from cockpit.ui.live.component import live
from cockpit.ui.reads import read
from cockpit.views import operational

with st.container(horizontal=True, vertical_alignment="center", gap="small", key="toolbar"):
    st.title(translate("nav.operational"), anchor=False, width="content", help=translate("page.operational.question"))
    st.space("stretch")
    chosen = filters.operational()


def load() -> dict[str, Any]:
    now = datetime.now(UTC)
    try:
        view = operational.load(read, chosen, now)
    except WarehouseUnreachable:
        view = operational.without_history(chosen, now)
    return live_view.data_of(view)


live("operational", load)
