"""A Brazilian shop as a stream of Segment-shaped events, with the truth planted in it.

Laws: the same truth, seed, run and start give the same events; nothing here reads a clock or a global random state;
events leave `stream.happenings` in the order of their time.
"""
