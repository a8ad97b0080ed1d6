"""`python -m cockpit annotate`: people and pipelines say what they changed. Alerts that begin soon after name it."""

import argparse
import getpass

from cockpit.alerts.nearby import KINDS, LONGEST
from cockpit.alerts.scrubbing import scrubbed
from cockpit.config import Config
from cockpit.errors import CallerError
from cockpit.i18n.translate import language_of, translate
from cockpit.ui.warehouse import Warehouse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", help=f"what changed, such as 'deploy integrator v3.2'; at most {LONGEST} characters")
    parser.add_argument("--kind", choices=KINDS, default="other", help="of change; other without it")
    parser.add_argument("--at", metavar="TIME", help="when it began, ISO 8601 with an offset; now without it")
    parser.add_argument("--by", help="who says so; the user of this machine without it")
    parser.add_argument("--role", default="operator", help="in which role; operator without it")
    parser.add_argument("--lang", choices=("pt-BR", "en"), default="pt-BR", help="of the answer")


def printed(args: argparse.Namespace, config: Config) -> str:
    """What was noted. CallerError when it is refused, WarehouseUnreachable without an answer."""
    body = {"text": args.text, "kind": args.kind, "by": args.by or _user(), "role": args.role}
    Warehouse.of(config).act("annotate", body if args.at is None else {**body, "at": args.at})
    return translate("alerts.noted", language_of(args.lang), text=scrubbed(args.text, LONGEST)) + "\n"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:  # a container may run as a user without a name
        raise CallerError("say who notes it, with --by") from error
