"""The command line: parse, call the wiring, print, exit. No decision is taken here."""
