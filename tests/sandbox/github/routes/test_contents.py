from __future__ import annotations

from typing import TYPE_CHECKING

import github3
import pytest

if TYPE_CHECKING:
    from tests.sandbox.github.support import World


def test_create_change_and_delete_a_file(world: World) -> None:
    repo = world.repo("alice")
    repo.create_branch_ref("edit", world.first)
    repo.create_file("docs/a b.md", "Add", b"one\n", branch="edit")
    file = world.repo("bob").file_contents("docs/a b.md", ref="edit")
    assert file.decoded == b"one\n"
    world.repo("alice").file_contents("docs/a b.md", ref="edit").update(
        "Change", b"two\n", branch="edit"
    )
    again = world.repo("bob").file_contents("docs/a b.md", ref="edit")
    assert again.decoded == b"two\n"
    world.repo("alice").file_contents("docs/a b.md", ref="edit").delete("Remove", branch="edit")
    with pytest.raises(github3.exceptions.NotFoundError):
        world.repo("bob").file_contents("docs/a b.md", ref="edit")


def test_change_of_another_version_is_refused(world: World) -> None:
    stale = world.repo("alice").file_contents("README.md")
    world.repo("bob").file_contents("README.md").update("Bob", b"bob\n", branch="main")
    with pytest.raises(github3.exceptions.Conflict):
        stale.update("Alice", b"alice\n", branch="main")
    with pytest.raises(github3.exceptions.Conflict):
        stale.delete("Alice", branch="main")


def test_create_over_an_existing_file_is_refused(world: World) -> None:
    with pytest.raises(github3.exceptions.UnprocessableEntity):
        world.repo("alice").create_file("README.md", "x", b"x")


def test_executable_bit_survives_a_change(world: World) -> None:
    world.repo("alice").file_contents("scripts/coh").update("x", b"#!/bin/sh\n", branch="main")
    entries = {one.path: one.mode for one in world.repo("bob").tree("main").recurse().tree}
    assert entries["scripts/coh"] == "100755"


def test_directories_are_listed(world: World) -> None:
    root = dict(world.repo("bob").directory_contents(""))
    assert {name: one.type for name, one in root.items()} == {
        "README.md": "file",
        "infra": "dir",
        "scripts": "dir",
    }
    assert list(dict(world.repo("bob").directory_contents("infra"))) == ["flags.yaml"]


def test_raw_media_type_gives_the_bytes(world: World) -> None:
    headers = {"Accept": "application/vnd.github.raw+json"}
    answer = world.session("bob").get(world.at("/contents/README.md"), headers=headers)
    assert (answer.status_code, answer.content) == (200, b"# Ops\n")


def test_unknown_ref_is_not_found(world: World) -> None:
    with pytest.raises(github3.exceptions.NotFoundError):
        world.repo("bob").file_contents("README.md", ref="nowhere")
