"""`python -m ingest gateway`: listens for events until SIGTERM or Ctrl-C, then drains."""

import argparse
import asyncio
import gc
import logging
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import uvicorn
import uvloop

from cockpit.clock import system_clock
from cockpit.config import Config
from cockpit.events.catalogue import catalogue
from cockpit.events.judge import Judge
from ingest.gateway.access import Keys, RedactKeys
from ingest.gateway.batcher import Batcher, Limits
from ingest.gateway.listener import Listener
from ingest.gateway.server import Gateway
from ingest.gateway.sessions import Sessions
from ingest.gateway.stream import HEARTBEAT_S, MAX_FRAME_BYTES, Desk
from ingest.gateway.writer import LogWriter, NullWriter, Writer
from ingest.log.sqlite import Keep, SqliteLog

MAX_CONNECTIONS = 5_000
DRAIN_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--null", action="store_true", help="decode and acknowledge, store nothing: measures the server alone"
    )


def run(args: argparse.Namespace, config: Config) -> int:
    gc.freeze()
    gc.disable()  # events are acyclic: looking for cycles among them is time lost. The gateway looks once a minute
    logging.getLogger("uvicorn.error").addFilter(RedactKeys())
    log = SqliteLog(config.log_path, Keep(timedelta(days=config.log_keep_days), config.log_keep_bytes))
    writer = NullWriter() if args.null else LogWriter(Judge(catalogue(), lambda: uuid.uuid4().hex), log)
    try:
        uvloop.run(serve(config, log.epoch, writer))
    finally:
        log.close()
    return 0


async def serve(config: Config, epoch: str, writer: Writer) -> None:
    """Until SIGTERM or SIGINT; then drains, and only then lets uvicorn stop."""
    keys = Keys(config.keys_path, config.currency)
    desk = Desk(keys.sender, Sessions(), epoch, config.dedup_days * 86_400 * 1_000_000)
    gateway = Gateway(desk, writer, Batcher(Limits()), system_clock)
    server = Server(settings(gateway, config))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    committing = asyncio.create_task(gateway.run())
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping, committing}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    gateway.drain()
    await asyncio.wait({committing}, timeout=DRAIN_S)
    await gateway.say_goodbye()
    server.should_exit = True
    await serving
    await committing


class Server(uvicorn.Server):
    """Leaves signals alone: uvicorn's own handling closes every websocket before its acks are out."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def settings(gateway: Gateway, config: Config) -> uvicorn.Config:
    return uvicorn.Config(
        gateway.application,
        host=config.host,
        port=config.gateway_port,
        ws=Listener,
        ws_max_size=MAX_FRAME_BYTES,
        ws_ping_interval=HEARTBEAT_S,
        ws_ping_timeout=HEARTBEAT_S,
        ws_per_message_deflate=False,
        timeout_keep_alive=75,
        limit_concurrency=MAX_CONNECTIONS,
        access_log=False,
        server_header=False,
        lifespan="off",
        log_config=None,
    )
