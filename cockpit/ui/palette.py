"""The colours of charts and of our own markup, for a light and for a dark page.

One colour has one meaning everywhere, and never says it alone. Contrast and distances, also for the colour-blind, were
computed; config.toml holds the same values for what Streamlit draws itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

MOST_SERIES = 5  # then small multiples


@dataclass(frozen=True)
class Palette:
    """`series`: treatments, in their order; the control is always `control`, dashed."""

    background: str
    panel: str
    text: str
    soft: str
    border: str
    grid: str
    control: str
    series: tuple[str, ...]
    good: str
    warn: str
    bad: str
    pending: str
    unknown: str  # no data; a mark only, words beside it are `soft`
    previous: str  # the period before; never alone
    sequential: tuple[str, ...]  # of heat maps, from little to much
    diverging: tuple[str, ...]  # from worse to better

    def tone(self, name: str) -> str:
        return {"good": self.good, "bad": self.bad, "warn": self.warn, "soft": self.soft}.get(name, self.text)

    def variants(self, names: Sequence[str]) -> dict[str, str]:
        """Colours of variants, of which the first is the control."""
        return {name: self.control if not at else self.series[(at - 1) % MOST_SERIES] for at, name in enumerate(names)}


LIGHT = Palette(
    background="#FFFFFF", panel="#F4F6F8", text="#16202B", soft="#4A5563", border="#D5DBE2", grid="#E3E8ED",
    control="#6B7280", series=("#0B5CAD", "#D9730D", "#591F46", "#4396BF", "#2F6B1F"),
    good="#0A6E5C", warn="#B45B00", bad="#A80F36", pending="#3B4FC4", unknown="#868E9B", previous="#A3ABB8",
    sequential=("#E6F0FA", "#CBE0F4", "#A9CCEC", "#84B5E2", "#5E9CD6",
                "#3F85C8", "#2670B7", "#0B5CAD", "#0A4A8B", "#083765"),
    diverging=("#8C2D04", "#CC4C02", "#EC7014", "#FDB777", "#FBE0C4",
               "#D2E3F3", "#9AC3E6", "#5A9BD0", "#2472B2", "#0B4A8A"),
)  # fmt: skip
DARK = Palette(
    background="#0F1720", panel="#18222E", text="#E8EDF2", soft="#A7B1BD", border="#33404F", grid="#26323F",
    control="#A3ADBA", series=("#5AA9F0", "#F29E4C", "#F6C9DF", "#2F6FB0", "#2FA37C"),
    good="#3BCFB4", warn="#F7BE5C", bad="#FF6F86", pending="#8E9DFF", unknown="#7C8796", previous="#5D6877",
    sequential=("#0B2A47", "#0C3A63", "#104C80", "#18609D", "#2877B8",
                "#418FD0", "#5AA9F0", "#85C0F5", "#B0D6F9", "#DCEDFD"),
    diverging=("#F6A35C", "#E0813A", "#B9602A", "#8A4A26", "#5C3A2B",
               "#2C4660", "#2F6391", "#3B82BF", "#5AA9F0", "#9CCDF7"),
)  # fmt: skip
