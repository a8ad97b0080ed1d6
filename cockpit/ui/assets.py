"""Files the browser loads. Plotly's script is copied from its package: no network of others, nothing large in git."""

import shutil
from pathlib import Path

import plotly
import streamlit as st

STATIC = Path(__file__).with_name("static")
PLOTLY = STATIC / "plotly.min.js"


def provide() -> None:
    """Put plotly.min.js of the installed version in place. Whole at once, since a browser may be reading."""
    source = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    if PLOTLY.exists() and PLOTLY.stat().st_size == source.stat().st_size:
        return
    partial = PLOTLY.with_suffix(".part")
    shutil.copyfile(source, partial)
    partial.replace(PLOTLY)


def url(name: str) -> str:
    """Where the browser finds a static file; the version keeps an old copy out of a new screen."""
    return f"{base()}/app/static/{name}?v={plotly.__version__}"


def base() -> str:
    """The path below which the screens are served, '' at the root."""
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""
