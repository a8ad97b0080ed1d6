"""Named reads and actions over Arrow Flight, for those who know the token. One cursor per read, beside the writer."""

import hmac
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import polars as pl
from pyarrow import flight

from cockpit.errors import UnknownRead
from cockpit.store.database import Database
from cockpit.store.reader import read


class Ticket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a reader asks for."""

    read: str
    params: dict[str, Any] = {}
    role: str = "reader"


class BearerCheck(flight.ServerMiddlewareFactory):  # type: ignore[misc]  # pyarrow ships no types
    """Refuses every call that does not carry the token."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._expected = f"Bearer {token}".encode()

    def start_call(self, _info: flight.CallInfo, headers: Mapping[str, list[str]]) -> None:
        given = next((values[0] for name, values in headers.items() if name.lower() == "authorization" and values), "")
        if not hmac.compare_digest(given.encode(), self._expected):
            raise flight.FlightUnauthenticatedError("the bearer token is missing or wrong")


Action = Callable[[], Mapping[str, object]]


class FlightServer(flight.FlightServerBase):  # type: ignore[misc]  # pyarrow ships no types
    """Serves from the moment it is made; `shutdown` ends it."""

    def __init__(
        self, location: str, token: str, database: Database, zone: ZoneInfo, actions: Mapping[str, Action]
    ) -> None:
        super().__init__(location, middleware={"bearer": BearerCheck(token)})
        self._database = database
        self._zone = zone
        self._actions = actions

    def do_get(self, _context: flight.ServerCallContext, ticket: flight.Ticket) -> flight.RecordBatchStream:
        try:
            asked = msgspec.json.decode(ticket.ticket, type=Ticket)
            with self._database.cursor() as cursor:
                rows = read(cursor, asked.read, asked.params, self._zone)
        except (UnknownRead, msgspec.DecodeError) as error:
            raise flight.FlightServerError(str(error)) from error
        return flight.RecordBatchStream(rows.to_arrow(compat_level=pl.CompatLevel.oldest()))

    def do_action(self, _context: flight.ServerCallContext, action: flight.Action) -> Iterator[flight.Result]:
        if action.type not in self._actions:
            raise flight.FlightServerError(f"no action {action.type!r}; there are {', '.join(sorted(self._actions))}")
        yield flight.Result(msgspec.json.encode(self._actions[action.type]()))

    def list_actions(self, _context: flight.ServerCallContext) -> list[tuple[str, str]]:
        return [(name, (action.__doc__ or "").strip()) for name, action in self._actions.items()]
