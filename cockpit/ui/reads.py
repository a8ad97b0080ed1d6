"""Named reads of the warehouse, and commands to it. Imported by pages only: Streamlit's caches need its runtime."""

import json

import polars as pl
import streamlit as st

from cockpit.ui.services import warehouse


def read(name: str, **params: object) -> pl.DataFrame:
    """A named read of the warehouse. UnknownRead, or WarehouseUnreachable when it does not answer in time."""
    return _read(name, json.dumps(params, sort_keys=True, default=str), "reader")


def act(kind: str, **body: object) -> None:
    """A command; what it changed is read anew. CallerError when it is refused, WarehouseUnreachable without answer."""
    warehouse().act(kind, body)
    _read.clear()


@st.cache_data(ttl="10s", max_entries=200, show_spinner=False)
def _read(name: str, params: str, role: str) -> pl.DataFrame:
    return warehouse().read(name, json.loads(params), role)
