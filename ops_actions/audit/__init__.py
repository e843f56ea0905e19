"""The record book: what was tried, done or refused, in a chain that shows any later change.

It knows nothing of plans and permits; digests are opaque text to it, so that it can be verified
and reused alone.
"""
