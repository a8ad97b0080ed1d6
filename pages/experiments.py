"""What do we know, and when may we decide? Every experiment, or the one that the URL names."""

from datetime import UTC, datetime

import streamlit as st

from cockpit.errors import WarehouseUnreachable
from cockpit.ui import services
from cockpit.ui.experiments import commands, detail, frame, listing
from cockpit.ui.language import language, translate
from cockpit.ui.reads import read
from cockpit.views import experiments
from cockpit.views.experiment_words import Words

now, zone = datetime.now(UTC), services.config().zone
words = Words(language(), zone)
name, version = frame.asked()

frame.dress()
with st.container(horizontal=True, vertical_alignment="center", gap="small", key="toolbar"):
    st.title(translate("nav.experiments"), anchor=False, width="content", help=translate("page.experiments.question"))
    st.space("stretch")
    metric = detail.choose_metric(words, st.query_params.get("metric")) if name else None

try:
    if name is None:
        listing.draw(experiments.listed(read, now), words)
        commands.register(words)
    elif found := experiments.detailed(read, experiments.Asked(name, version, metric), now, zone):
        detail.draw(found, words, now)
    else:
        frame.unknown(name)
except WarehouseUnreachable:
    frame.down()
