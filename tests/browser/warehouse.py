"""The named reads of the screens, answered over real Flight with rows that the test chooses; actions are remembered."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import polars as pl
from pyarrow import flight

from ingest.warehouse.alert_frames import SCHEMAS
from tests.browser.feed import CHANNELS, minute_of, rate_at
from tests.experiments.answers import Answers

MINUTE = timedelta(minutes=1)
COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "minute": pl.Datetime("us"),
    "channel": pl.String,
    "name": pl.String,
    "events": pl.Int64,
    "bucket": pl.Int32,
    "actions": pl.Int64,
}
BUCKET_OF_A_SECOND = 698  # 1.02 ** 698 is 1.006 million microseconds


class History(flight.FlightServerBase):  # type: ignore[misc]  # pyarrow ships no types
    """The past of a lively shop, its experiments and its alerts. `refusal`: why it will not do what it is asked."""

    def __init__(self, port: int, token: str) -> None:
        super().__init__(f"grpc://127.0.0.1:{port}", middleware={"bearer": Bearer(token)})
        self.asked: list[dict[str, object]] = []
        self.is_empty = False
        self.experiments = Answers()
        self.alerts: Callable[..., pl.DataFrame] = no_alerts
        self.company: Callable[..., pl.DataFrame] | None = None  # answers every read instead, if there is one
        self.acted: list[dict[str, object]] = []
        self.refusal = ""

    def do_get(self, _context: flight.ServerCallContext, ticket: flight.Ticket) -> flight.RecordBatchStream:
        asked = json.loads(ticket.ticket)
        if self.company is not None:
            return streamed(self.company(asked["read"], **asked["params"]))
        if asked["read"].startswith("experiment"):
            return streamed(self.experiments(asked["read"], **asked["params"]))
        if asked["read"].startswith("alert"):
            return streamed(self.alerts(asked["read"], **asked["params"]))
        assert asked["read"] == "operational_minutes"
        self.asked.append(asked["params"])
        return streamed(pl.DataFrame(schema=COLUMNS) if self.is_empty else rows(asked["params"]))

    def do_action(self, _context: flight.ServerCallContext, action: flight.Action) -> Iterator[flight.Result]:
        self.acted.append({"kind": action.type, **json.loads(action.body.to_pybytes())})
        if self.refusal:
            raise flight.FlightServerError(f"{action.type}: {self.refusal}")
        yield flight.Result(b"{}")


def no_alerts(name: str, **_params: object) -> pl.DataFrame:
    """As before the first round of evaluation, of a warehouse that has no read of its engine."""
    if name == "alert_engine":
        raise KeyError(name)
    return pl.DataFrame(schema=SCHEMAS[name.removeprefix("alert_")])


def streamed(rows: pl.DataFrame) -> flight.RecordBatchStream:
    return flight.RecordBatchStream(rows.to_arrow(compat_level=pl.CompatLevel.oldest()))


class Bearer(flight.ServerMiddlewareFactory):  # type: ignore[misc]  # as above
    def __init__(self, token: str) -> None:
        super().__init__()
        self.expected = [f"Bearer {token}"]

    def start_call(self, _info: flight.CallInfo, headers: dict[str, list[str]]) -> None:
        if headers.get("authorization") != self.expected:
            raise flight.FlightUnauthenticatedError("wrong token")


def rows(params: dict[str, str | int]) -> pl.DataFrame:
    start, end = (datetime.fromisoformat(str(params[name])).astimezone(UTC) for name in ("start", "end"))
    step = int(params["step_minutes"])
    counted: list[tuple[object, ...]] = []
    at = start
    while at < end:
        minute = minute_of(int(at.timestamp() * 1000), rate_at(int(at.timestamp() * 1000)) * step)
        naive = at.replace(tzinfo=None)
        for channel in CHANNELS:
            scope = minute.scopes[channel]
            counted += [(naive, channel, name, events, None, None) for name, events in scope.events.items()]
            counted.append((naive, channel, None, None, BUCKET_OF_A_SECOND, scope.delivered))
        at += step * MINUTE
    return pl.DataFrame(counted, schema=COLUMNS, orient="row")


if __name__ == "__main__":
    import sys
    from pathlib import Path

    History(int(sys.argv[1]), Path(sys.argv[2]).read_text()).serve()
