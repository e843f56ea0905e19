"""Declared state: files in `infra/environments` become frozen, typed settings or a clear error."""
