"""The warehouse process: log in, DuckDB (its own), named reads and a live feed out."""

import os

# One thread for Polars, before it is imported for the first time: micro-batches are small, and waking a pool for each
# costs more than it saves (measured on 2 cores: 9.7 us of CPU per event, not 12.2).
os.environ.setdefault("POLARS_MAX_THREADS", "1")
