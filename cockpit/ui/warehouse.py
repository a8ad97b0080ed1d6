"""The warehouse over Flight, without Streamlit: named reads and actions, for the pages and for the command line."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import polars as pl
import pyarrow as pa
from pyarrow import flight

from cockpit.config import Config, shared_token
from cockpit.errors import CallerError, UnknownRead, WarehouseUnreachable

WITHIN_S = 5.0
DOWN = (flight.FlightUnavailableError, flight.FlightTimedOutError, flight.FlightInternalError, OSError)
DETAIL = ". Detail: "  # what gRPC adds to the message of an error

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Warehouse:
    """A connection per call: it costs about a millisecond, and a warehouse that was restarted is found at once."""

    address: str
    token: str

    @classmethod
    def of(cls, config: Config) -> Self:
        return cls(f"grpc://{config.host}:{config.flight_port}", shared_token(config))

    def read(self, name: str, params: dict[str, Any], role: str) -> pl.DataFrame:
        """A named read. UnknownRead, or WarehouseUnreachable when it does not answer in time."""
        ticket = flight.Ticket(json.dumps({"read": name, "params": params, "role": role}).encode())
        try:
            table = self._call(f"read {name}", lambda client, options: client.do_get(ticket, options).read_all())
        except (flight.FlightError, pa.ArrowInvalid, KeyError) as error:
            raise UnknownRead(f"read {name}: {_said(error)}") from error
        frame = pl.from_arrow(table)
        assert isinstance(frame, pl.DataFrame)
        return frame

    def act(self, kind: str, body: dict[str, Any]) -> None:
        """A command. CallerError says why it was refused, WarehouseUnreachable that nobody answered in time."""
        action = flight.Action(kind, json.dumps(body).encode())
        try:
            self._call(kind, lambda client, options: list(client.do_action(action, options)))
        except (flight.FlightError, pa.ArrowInvalid, KeyError) as error:
            raise CallerError(_said(error)) from error

    def _call(self, what: str, ask: Callable[[Any, flight.FlightCallOptions], Answer]) -> Answer:
        header = (b"authorization", f"Bearer {self.token}".encode())
        options = flight.FlightCallOptions(timeout=WITHIN_S, headers=[header])
        try:
            with flight.connect(self.address) as client:
                return ask(client, options)
        except DOWN as error:
            raise WarehouseUnreachable(f"{what}: {_said(error)}") from error


def _said(error: Exception) -> str:
    return str(error).partition(DETAIL)[0]
