"""Typed calls of the outside services: no engine, no globals, no clock; one shared transport."""
