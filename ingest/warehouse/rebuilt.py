"""Tables made again beside those that serve, and taken over when the warehouse starts.

Law: at every moment one whole database file stands where the warehouse looks for it, or a whole one to be taken over.
"""

from pathlib import Path

from cockpit.config import Config

SUFFIXES = ("", ".wal")


def unfinished(config: Config) -> Path:
    """Where tables are being made again."""
    return config.database_path.with_suffix(".rebuilding.duckdb")


def finished(config: Config) -> Path:
    """Tables made again, whole."""
    return config.database_path.with_suffix(".rebuilt.duckdb")


def before(config: Config) -> Path:
    """What was served until then; may be deleted by hand."""
    return config.database_path.with_suffix(".before.duckdb")


def take_over(config: Config) -> bool:
    """Put finished tables in the place of the old ones, by whoever owns the file. Whether there were any."""
    if not finished(config).exists():
        return False
    for suffix in SUFFIXES:
        old = Path(f"{config.database_path}{suffix}")
        if old.exists():
            old.replace(f"{before(config)}{suffix}")
    finished(config).replace(config.database_path)
    return True


def clear(path: Path) -> None:
    """Remove a database file with what belongs to it."""
    for suffix in SUFFIXES:
        Path(f"{path}{suffix}").unlink(missing_ok=True)
