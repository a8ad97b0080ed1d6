"""Alerts as values: what the rules say, what an alert becomes, what people are told of it. No clock, no I/O."""
