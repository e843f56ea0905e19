"""Flagsmith 2.265 as far as its admin API, its SDK API and the recorded answers go."""

from sandbox.flagsmith.app import create_app
from sandbox.flagsmith.seed import EnvironmentSeed, Seeded, seed

__all__ = ["EnvironmentSeed", "Seeded", "create_app", "seed"]
