"""What config.toml has no option for: dense page margins, the place of the language choice, colours of charts."""

import streamlit as st

from cockpit.ui.palette import DARK, LIGHT, Palette

STYLE = """
<style>
[data-testid="stMainBlockContainer"] { padding-left: 1.25rem; padding-right: 1.25rem; padding-top: 4.25rem; }
[data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] { gap: 0.5rem; }
.st-key-lang { position: fixed; top: 0.7rem; right: 3.25rem; z-index: 999991; width: auto; }
button[data-variant="segmented_control"][data-selected="true"] { color: inherit !important; }
.st-key-toolbar h1 { font-size: 1.125rem; padding: 0; }
.st-key-lang button { text-transform: uppercase; min-height: 2rem; padding: 0 0.6rem; }
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding-left: 0.75rem; padding-right: 0.75rem; }
}
</style>
"""


def apply() -> None:
    st.html(STYLE)


def palette() -> Palette:
    """The colours of the page as this browser shows it."""
    return DARK if st.context.theme.type == "dark" else LIGHT
