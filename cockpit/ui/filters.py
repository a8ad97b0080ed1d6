"""The filters of a page, kept in the URL by codes that are the same in every language.

A widget bound to the URL writes its *label* there when it has a `format_func` (Streamlit 1.67). So widgets whose
options read well as codes are bound; the channel, whose labels are translated, is written to the URL here.
"""

import streamlit as st

from cockpit.ui.language import language, translate
from cockpit.views.operational import ALL, CHANNELS, WINDOWS, Filters

DEFAULT_WINDOW = "1h"


def operational() -> Filters:
    """Window, channel and pause of the operational page; what the URL says is checked again here."""
    st.segmented_control(
        translate("filter.window"),
        list(WINDOWS),
        default=DEFAULT_WINDOW,
        required=True,
        key="win",
        bind="query-params",
        label_visibility="collapsed",
    )
    channel = _channel()
    st.toggle(translate("filter.pause"), key="pause", bind="query-params", help=translate("filter.pause_help"))
    window = st.session_state.get("win")
    return Filters(
        window=window if window in WINDOWS else DEFAULT_WINDOW,
        channel=channel,
        is_paused=bool(st.session_state.get("pause")),
    )


def _channel() -> str:
    """The key holds the language: labels are what Streamlit remembers a choice by, and they change with it."""
    key = f"channel_{language()}"
    asked = st.query_params.get("channel")
    st.session_state.setdefault(key, asked if asked in CHANNELS else ALL)

    def remember() -> None:
        if st.session_state[key] == ALL:
            st.query_params.pop("channel", None)
        else:
            st.query_params["channel"] = st.session_state[key]

    chosen: str = st.selectbox(
        translate("filter.channel"),
        [ALL, *CHANNELS],
        format_func=lambda code: translate("filter.all_channels" if code == ALL else f"channel.{code}"),
        key=key,
        on_change=remember,
        label_visibility="collapsed",
        width=190,
    )
    return chosen
