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

    def tone(self, name: str) -> str:
        return {"good": self.good, "bad": self.bad, "warn": self.warn, "soft": self.soft}.get(name, self.text)

    def variants(self, names: Sequence[str]) -> dict[str, str]:
        """Colours of variants, of which the first is the control."""
        return {name: self.control if not at else self.series[(at - 1) % MOST_SERIES] for at, name in enumerate(names)}


LIGHT = Palette(
    background="#FFFFFF", panel="#F4F6F8", text="#16202B", soft="#4A5563", border="#D5DBE2", grid="#E3E8ED",
    control="#6B7280", series=("#0B5CAD", "#D9730D", "#591F46", "#4396BF", "#2F6B1F"),
    good="#0A6E5C", warn="#B45B00", bad="#A80F36",
)  # fmt: skip
DARK = Palette(
    background="#0F1720", panel="#18222E", text="#E8EDF2", soft="#A7B1BD", border="#33404F", grid="#26323F",
    control="#A3ADBA", series=("#5AA9F0", "#F29E4C", "#F6C9DF", "#2F6FB0", "#2FA37C"),
    good="#3BCFB4", warn="#F7BE5C", bad="#FF6F86",
)  # fmt: skip
