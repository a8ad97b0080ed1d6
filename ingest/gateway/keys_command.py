"""`python -m ingest keys`: adds, lists and removes write keys. A running gateway takes a change within a second."""

import argparse
import sys

from cockpit.config import Config
from cockpit.errors import BadSetting
from ingest.gateway.access import add_key, read_keys, remove_key


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="action", required=True)
    add = commands.add_parser("add", help="make a key and print it, once")
    add.add_argument("name", help="the source: what its events are filed under")
    add.add_argument("--kind", choices=("secret", "public"), default="secret", help="public keys lie in browsers")
    add.add_argument(
        "--origin", action="append", default=[], help="a browser's origin that may use it (scheme://host:port)"
    )
    add.add_argument("--currency", help="ISO 4217, of amounts that come without one")
    commands.add_parser("list", help="names and kinds")
    remove = commands.add_parser("remove", help="from now on the key is unknown")
    remove.add_argument("name")


def run(args: argparse.Namespace, config: Config) -> int:
    return ACTIONS[args.action](args, config)


def add(args: argparse.Namespace, config: Config) -> int:
    sys.stdout.write(add_key(config.keys_path, args.name, args.kind, args.origin, args.currency) + "\n")
    return 0


def show(args: argparse.Namespace, config: Config) -> int:  # noqa: ARG001 - the shape of an action
    for key in read_keys(config.keys_path):
        sys.stdout.write(" ".join([key.name, key.kind, *(["disabled"] if key.disabled else []), *key.origins]) + "\n")
    return 0


def remove(args: argparse.Namespace, config: Config) -> int:
    if not remove_key(config.keys_path, args.name):
        raise BadSetting(f"there is no key named {args.name!r}")
    return 0


ACTIONS = {"add": add, "list": show, "remove": remove}
