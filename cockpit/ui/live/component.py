"""The live component: the files beside this one, bundled into one module, mounted with what the page knows.

It has its own websocket to `/live`, so numbers move without a rerun. A rerun only happens for a filter, for a new token
(about every quarter of an hour) and, where a proxy lets Streamlit through but not `/live`, every two seconds.
"""

import re
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from cockpit.ui import assets, live_token, services

FOLDER = Path(__file__).parent
MODULES = ("format", "dom", "model", "charts", "tiles", "panels", "alerts", "strip", "socket", "plots", "panel")
ROLE = "reader"  # until there is a login


@cache
def bundle() -> str:
    """The modules in the order in which they need each other, as one: imports dropped, only the last one exports."""
    sources = [(FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in MODULES]
    joined = "\n".join(re.sub(r"^import .*\n", "", source, flags=re.MULTILINE) for source in sources)
    return re.sub(r"^export (?!default)", "", joined, flags=re.MULTILINE)


_mount = st.components.v2.component(
    "cockpit_live",
    html='<div class="ck-live" data-testid="live"></div>',
    css=(FOLDER / "live.css").read_text(encoding="utf-8"),
    js=bundle(),
    isolate_styles=False,  # Plotly puts its rules into the page's head, which a shadow root would not see
)


def live(key: str, load: Callable[[], Mapping[str, Any]]) -> None:
    """Mount the component. `load` gives what it shows and is called again when the browser asks.

    The browser asks for a new token, or, while it polls, for the snapshot; each is a run of this fragment alone.
    """

    @st.fragment(key=f"{key}_fragment")
    def panel() -> None:
        relay = services.relay()
        is_polling = st.session_state.get(key, {}).get("transport") == "poll"
        _mount(
            key=key,
            data={
                **load(),
                "token": live_token.sign(ROLE, services.secret(), time.time()),
                "poll": relay.picture.full() if relay and is_polling else None,
                "base": assets.base(),
                "plotly_url": assets.url("plotly.min.js"),
            },
            on_renew_change=_nothing,
            on_transport_change=_nothing,
        )

    panel()


def _nothing() -> None:
    """A callback must be there for the component's state to be kept; the new run is what was asked for."""
