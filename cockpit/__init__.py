"""Cockpit, the library: functions of values. No sockets, no clock of its own: processes are `ingest` and `app.py`."""
