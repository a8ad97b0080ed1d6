"""The operational view as the live component takes it: numbers and the words of one language."""

from typing import Any

from cockpit.i18n.translate import texts
from cockpit.ui import services
from cockpit.ui.language import language, translate
from cockpit.views.operational import CHANNELS, KPIS, OperationalView


def data_of(view: OperationalView) -> dict[str, Any]:
    spoken = language()
    return {
        "mode": "full",
        "language": spoken,
        "zone": services.config().time_zone,
        "window": view.filters.window,
        "window_ms": view.window_ms,
        "end": view.end_ms,
        "scope": view.filters.channel,
        "paused": view.filters.is_paused,
        "is_unreachable": view.history is None,
        "history": view.history.columns() if view.history else None,
        "series": [
            {"key": series.key, "names": series.names, "label": translate(f"series.{series.key}")}
            for series in view.series
        ],
        "kpis": {kpi: texts(f"kpi.{kpi}", spoken) for kpi in KPIS},
        "channels": {code: translate(f"channel.{code}") for code in ("all", *CHANNELS)},
        "segments": texts("segment", spoken),
        "events": texts("event", spoken),
        "states": texts("alerts.page.state", spoken),
        "texts": texts("live", spoken),
        "calendar": texts("calendar", spoken),
        "plotly_words": texts("plotly", spoken),
    }
