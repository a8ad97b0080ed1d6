"""Registers and starts the demo's experiments through the warehouse, as often as asked: once is enough."""

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from pyarrow import flight

from cockpit.config import ROOT, Config, shared_token
from cockpit.errors import BadSetting
from cockpit.experiments.registration import Registration

log = logging.getLogger(__name__)

EXPERIMENTS = ROOT / "data" / "reference" / "experiments.toml"
AGAIN_S = 2.0
WITHIN_S = 5.0
DOWN = (flight.FlightUnavailableError, flight.FlightTimedOutError, flight.FlightInternalError)


class Experiments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    experiments: tuple[Registration, ...]


def registrations(path: Path) -> tuple[Registration, ...]:
    """Those in a TOML file; BadSetting names what is wrong with it."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Experiments).experiments
    except msgspec.DecodeError as error:
        raise BadSetting(f"{path.name}: {error}") from error


async def register(config: Config, wanted: Iterable[Registration], since: datetime) -> None:
    """Each is registered, and started as of `since` if it is new. Waits for the warehouse as long as it takes."""
    for registration in wanted:
        while True:
            try:
                await asyncio.to_thread(ensure, config, registration, since)
                break
            except DOWN:
                await asyncio.sleep(AGAIN_S)
            except flight.FlightError as error:
                log.warning("%s", str(error).partition(". Detail: ")[0])
                break


def ensure(config: Config, registration: Registration, since: datetime) -> None:
    """What somebody has paused, stopped or concluded stays so. FlightError: nobody answered, or it was refused."""
    header = (b"authorization", f"Bearer {shared_token(config)}".encode())
    options = flight.FlightCallOptions(timeout=WITHIN_S, headers=[header])

    def act(action: str, **details: Any) -> str:
        command = {
            "actor": "demo",
            "role": "operator",
            "action": action,
            "experiment_id": registration.experiment_id,
            "version": registration.version,
            "details": details,
        }
        (answer,) = client.do_action(flight.Action("experiment", msgspec.json.encode(command)), options)
        return str(msgspec.json.decode(answer.body.to_pybytes())["status"])

    with flight.connect(f"grpc://{config.host}:{config.flight_port}") as client:
        if act("register", registration=registration) == "draft":
            act("start", at=since, reason="demo")
            log.info("started experiment %s version %s", registration.experiment_id, registration.version)
