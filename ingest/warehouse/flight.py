"""Named reads and actions over Arrow Flight, for those who know the token. One cursor per read, beside the writer."""

import hmac
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import polars as pl
from pyarrow import flight

from cockpit.errors import CallerError, CockpitError, MachineError, UnknownRead
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


Serve = Callable[[Mapping[str, Any]], pl.DataFrame]  # the answer of a read that asks no table
Action = Callable[[bytes], Mapping[str, object]]  # from the JSON that was sent; its docstring says what it does
BODY_MOST = 256 * 1024


def bodiless(name: str, work: Callable[[], Mapping[str, object]]) -> Action:
    """An action that takes nothing: whatever is sent with it is ignored."""

    def act(_body: bytes) -> Mapping[str, object]:
        return work()

    act.__name__, act.__doc__ = name, work.__doc__
    return act


class Calls(NamedTuple):
    """What is answered beside the reads of the tables."""

    actions: Mapping[str, Action]
    reads: Mapping[str, Serve] = {}


class FlightServer(flight.FlightServerBase):  # type: ignore[misc]  # pyarrow ships no types
    """Serves from the moment it is made; `shutdown` ends it."""

    def __init__(self, location: str, token: str, database: Database, zone: ZoneInfo, calls: Calls) -> None:
        super().__init__(location, middleware={"bearer": BearerCheck(token)})
        self._database = database
        self._zone = zone
        self._actions, self._reads = calls

    def do_get(self, _context: flight.ServerCallContext, ticket: flight.Ticket) -> flight.RecordBatchStream:
        try:
            asked = msgspec.json.decode(ticket.ticket, type=Ticket)
            rows = self._rows(asked)
        except (UnknownRead, msgspec.DecodeError) as error:
            raise flight.FlightServerError(str(error)) from error
        except MachineError as error:
            raise flight.FlightUnavailableError(str(error)) from error
        return flight.RecordBatchStream(rows.to_arrow(compat_level=pl.CompatLevel.oldest()))

    def do_action(self, _context: flight.ServerCallContext, action: flight.Action) -> Iterator[flight.Result]:
        try:
            answer = self._act(action.type, action.body)
        except (CockpitError, msgspec.DecodeError) as error:
            raise flight.FlightServerError(str(error)) from error
        yield flight.Result(msgspec.json.encode(answer))

    def list_actions(self, _context: flight.ServerCallContext) -> list[tuple[str, str]]:
        return [(name, (action.__doc__ or "").strip()) for name, action in self._actions.items()]

    def _rows(self, asked: Ticket) -> pl.DataFrame:
        if (serve := self._reads.get(asked.read)) is not None:
            return serve(asked.params)
        with self._database.cursor() as cursor:
            return read(cursor, asked.read, asked.params, self._zone)

    def _act(self, name: str, body: Any) -> Mapping[str, object]:
        """CallerError when there is no such action, or more comes with it than any needs."""
        if name not in self._actions:
            raise CallerError(f"no action {name!r}; there are {', '.join(sorted(self._actions))}")
        if len(body) > BODY_MOST:
            raise CallerError(f"{len(body)} bytes came with it; {BODY_MOST} are the most")
        return self._actions[name](body.to_pybytes())
