"""Named reads of the warehouse over Flight. Imported by pages only: Streamlit's caches need its runtime."""

import json

import polars as pl
import pyarrow as pa
import streamlit as st
from pyarrow import flight

from cockpit.errors import UnknownRead, WarehouseUnreachable
from cockpit.ui.services import config, secret

READ_WITHIN_S = 5.0
DOWN = (flight.FlightUnavailableError, flight.FlightTimedOutError, flight.FlightInternalError, OSError)


def read(name: str, **params: object) -> pl.DataFrame:
    """A named read of the warehouse. UnknownRead, or WarehouseUnreachable when it does not answer in time."""
    return _read(name, json.dumps(params, sort_keys=True, default=str), "reader")


@st.cache_data(ttl="10s", max_entries=200, show_spinner=False)
def _read(name: str, params: str, role: str) -> pl.DataFrame:
    ticket = flight.Ticket(json.dumps({"read": name, "params": json.loads(params), "role": role}).encode())
    try:
        table = _fetch(ticket)
    except DOWN as error:
        raise WarehouseUnreachable(f"read {name}: {error}") from error
    except (flight.FlightError, pa.ArrowInvalid, KeyError) as error:
        raise UnknownRead(f"read {name}: {error}") from error
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _fetch(ticket: flight.Ticket) -> pa.Table:
    """A connection per read: it costs about a millisecond, and a warehouse that was restarted is found at once."""
    token = (b"authorization", f"Bearer {secret()}".encode())
    options = flight.FlightCallOptions(timeout=READ_WITHIN_S, headers=[token])
    with flight.connect(f"grpc://{config().host}:{config().flight_port}") as client:
        return client.do_get(ticket, options).read_all()
