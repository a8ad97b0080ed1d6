"""The gateway: listens, judges, appends to the log, and acknowledges what is on disk."""
