"""The thin bar above every page while nobody evaluates the alerts, or while their messages are held back as planned.

It is looked at again every TICK_S in each open tab; the warehouse is asked once for all of them.
"""

from datetime import UTC, datetime
from html import escape

import polars as pl
import streamlit as st

from cockpit.errors import UnknownRead, WarehouseUnreachable
from cockpit.ui import services, theme
from cockpit.ui.language import language
from cockpit.ui.palette import Palette
from cockpit.views import duty
from cockpit.views.alerts import Engine

TICK_S = 30.0
SAYS_SO_ITSELF = "alerts"  # the page that has its own bar

RULES = """
.ck-duty { display: grid; gap: 0.25rem; margin: 0; font-size: 0.875rem; line-height: 1.4; }
.ck-duty p { margin: 0; padding: 0.3rem 0.75rem; border: 1px solid var(--line); border-left: 4px solid var(--tone);
  border-radius: 8px; color: var(--text); overflow-wrap: anywhere; }
.ck-duty b { color: var(--tone); margin-right: 0.375rem; }
.ck-duty .bad { background: var(--tone); color: var(--on-bad); font-weight: 600; }
.ck-duty .bad b { color: inherit; }
"""


def draw(page: str) -> None:
    st.fragment(_bar, run_every=TICK_S, key="duty_bar")(page)


def _bar(page: str) -> None:
    reader = duty.Reader(datetime.now(UTC), language(), services.config().zone)
    known = _engine()
    lines = [*(() if page == SAYS_SO_ITSELF else duty.state(known, reader)), *duty.mutes(known, reader)]
    if lines:
        st.html(markup(lines, theme.palette()))


def markup(lines: list[duty.Line], palette: Palette) -> str:
    said = "".join(
        f'<p class="{line.tone}" style="--tone: {palette.tone(line.tone)}">'
        f'<b aria-hidden="true">{line.glyph}</b>{escape(line.text)}</p>'
        for line in lines
    )
    colours = f"--text: {palette.text}; --line: {palette.border}; --on-bad: {palette.background};"
    return f'<style>.ck-duty {{ {colours} }}{RULES}</style><div class="ck-duty" data-testid="duty">{said}</div>'


@st.cache_data(ttl="5s", show_spinner=False)
def _engine() -> Engine | None:
    """None: nobody answers; remembered like an answer, so that many open tabs do not wait for it one by one."""

    def read(name: str, **params: object) -> pl.DataFrame:
        return services.warehouse().read(name, params, "reader")

    try:
        return duty.engine(read)
    except (WarehouseUnreachable, UnknownRead):
        return None
