"""KPIs: formulas on measures, computed last. An empty denominator is unknown, never 0."""
