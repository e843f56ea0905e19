"""The only place that picks implementations. A command imports the part it needs, no more."""
