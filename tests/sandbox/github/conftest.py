"""A running GitHub emulator for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.emulator.serve import running
from sandbox.emulator.store import Store
from sandbox.github import (
    Hooks,
    SeedApp,
    SeedTeam,
    SeedUser,
    create_app,
    register_app,
    register_team,
    register_users,
    seed_repository,
)
from tests.sandbox.github.support import APP_ID, BOT, FILES, NAME, START, TOKENS, Clock, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.sandbox.github.support import Untyped


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Start emulators; each ends with its contract checked."""
    started: list[tuple[Untyped, World]] = []

    def make(**options: Untyped) -> World:
        folder = tmp_path / f"world{len(started)}"
        directory = folder / "acme-ops.git"
        store = Store(folder / "state.sqlite")
        clock, pushes, actions = Clock(options.pop("start", START)), [], []
        first = seed_repository(directory, FILES, "Start", ("Seed", "seed@example.org"), START)
        people = [SeedUser(name) for name in ("alice", "bob", "carol")]
        people += [SeedUser("reader", "read"), SeedUser("admin", "admin")]
        people += [SeedUser("outsider", "none"), SeedUser(BOT, kind="Bot")]
        register_users(store, people, START)
        register_team(store, SeedTeam("reviewers", {"bob": "maintainer", "carol": "member"}), START)
        app = SeedApp(APP_ID, "coh-bot", 5, {"contents": "write", "checks": "write"})
        register_app(store, options.pop("app", app), START)
        recording = Hooks(
            on_push=lambda *push: pushes.append(push),
            on_pull_request=lambda *action: actions.append(action),
        )
        starlette = create_app(
            store,
            repository_dir=directory,
            full_name=NAME,
            clock=options.pop("clock", clock),
            tokens=TOKENS,
            sandbox_key="key",
            hooks=options.pop("hooks", recording),
            **options,
        )
        context = running({"github": starlette})
        url = context.__enter__()["github"]
        world = World(starlette, url, directory, clock, store, first, pushes, actions)
        started.append((context, world))
        return world

    yield make
    for context, _ in started:
        context.__exit__(None, None, None)
    for _, world in started:
        world.store.close()
        assert world.violations() == []


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Give one running emulator."""
    return make_world()
