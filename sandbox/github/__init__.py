"""A GitHub for one repository: its REST API, as github3.py uses it, over a real bare repository."""

from sandbox.github.app import create_app
from sandbox.github.auth import Token
from sandbox.github.hub import Hooks
from sandbox.github.seed import (
    SeedApp,
    SeedFile,
    SeedTeam,
    SeedUser,
    delete_user,
    register_app,
    register_team,
    register_users,
    seed_repository,
)

__all__ = [
    "Hooks",
    "SeedApp",
    "SeedFile",
    "SeedTeam",
    "SeedUser",
    "Token",
    "create_app",
    "delete_user",
    "register_app",
    "register_team",
    "register_users",
    "seed_repository",
]
