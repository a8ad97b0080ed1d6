"""Recorded events, sent again: reading, mapping, pacing, and remembering how far it got."""
