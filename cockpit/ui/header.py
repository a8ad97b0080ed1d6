"""The strip on pages that are not live: state of the data and DEMO badge, by the same component in its small form."""

from typing import Any

from cockpit.i18n.translate import texts
from cockpit.ui import services
from cockpit.ui.language import language
from cockpit.ui.live.component import live


def draw() -> None:
    live("header", _strip)


def _strip() -> dict[str, Any]:
    return {
        "mode": "strip",
        "language": language(),
        "texts": texts("live", language()),
        "zone": services.config().time_zone,
        "scope": "all",
        "window": "1h",
    }
