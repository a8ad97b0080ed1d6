"""The command line and composition root: `python -m ingest <command>`."""

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Callable
from typing import Protocol, cast

from cockpit import config as settings
from cockpit.errors import CockpitError


class Command(Protocol):
    """What a command's module offers; its docstring's first line is its help."""

    __doc__: str | None
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, settings.Config], int]


# A command is imported only when it is asked for: the gateway must not pay for DuckDB, nor the help text for either.
COMMANDS = {
    "up": ("ingest.up", "start everything and keep it running; Ctrl-C stops it"),
    "gateway": ("ingest.gateway.command", "take events in and acknowledge them once they are in the log"),
    "warehouse": ("ingest.warehouse.command", "fold the log into DuckDB, answer named reads, publish the live feed"),
    "keys": ("ingest.gateway.keys_command", "write keys of the senders"),
    "demo": ("ingest.demo", "simulate a shop, with its planted truth as arguments"),
    "replay": ("ingest.replay.command", "send recorded events"),
    "load": ("ingest.load", "send as fast as acknowledged, and time it"),
    "rebuild": ("ingest.rebuild", "make all tables again from the log or the stored events, while the old ones serve"),
    "bench": ("ingest.bench", "measure the pipeline on this machine"),
}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m ingest", description=__doc__)
    choices = parser.add_subparsers(dest="command", required=True, metavar="command")
    chosen = next((word for word in argv if word in COMMANDS), None)
    command: Command | None = None
    for name, (module, summary) in COMMANDS.items():
        sub = choices.add_parser(name, help=summary, description=summary)
        if name == chosen:
            command = cast("Command", importlib.import_module(module))
            command.add_arguments(sub)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if command is None:
        return 2
    try:
        return command.run(args, settings.from_environ(os.environ))
    except CockpitError as error:
        print(f"{parser.prog} {args.command}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
