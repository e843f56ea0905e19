"""What every requesting command does last: show the edit, or raise its pull request."""

from __future__ import annotations

import difflib
import sys
from dataclasses import dataclass
from pathlib import Path

from infra.settings.environment import read_from_folder
from ops_actions.canonical import Json
from ops_actions.cli.output import console, emit_json, say
from ops_actions.errors import BadRequestError
from ops_actions.pull_request.model import CodeHost
from ops_actions.pull_request.raise_request import Draft, Edit, draft, raise_request
from ops_actions.wiring import place


@dataclass(frozen=True, slots=True)
class Source:
    """Where the files that are edited come from.

    Attributes:
        host: GitHub; None for a dry run on this checkout.
        branch: branch that requests go to.
        commit: commit the files are read at; empty for a working tree.
        words: which of the two it is.
    """

    host: CodeHost | None
    branch: str
    commit: str
    root: Path
    words: str

    def read(self, path: str) -> bytes:
        """Return a file.

        Raises:
            BadRequestError: it is not there.
        """
        data = (
            self.host.read_file(path, self.commit)
            if self.host is not None
            else read_from_folder(self.root)(path)
        )
        if data is None:
            raise BadRequestError(
                "declared.missing", f"{path} is not in {self.words}", "restore the file on main"
            )
        return data


def source_of(*, sandbox: bool, dry_run: bool) -> Source:
    """Choose the source: GitHub where it is configured, this checkout for a dry run without it."""
    target = place.target(sandbox=sandbox)
    if dry_run and target.get("COH_GITHUB_TOKEN") is None:
        return Source(None, "main", "", target.root, "this checkout")
    # GitHub's client is slow to import, and listing flags must not wait for it.
    from ops_actions.wiring.host import code_host  # noqa: PLC0415

    host = code_host(target, read_only=dry_run)
    tip = host.default_branch_tip()
    words = f"{target.need('COH_GITHUB_REPOSITORY')} at {tip.commit[:12]} ({target.words})"
    return Source(host, tip.name, tip.commit, target.root, words)


def raise_edit(source: Source, edit: Edit, *, dry_run: bool, as_json: bool) -> None:
    """Print the edit of a dry run, or raise its pull request and say where it is."""
    request = draft(edit)
    say(f"{'Dry run on' if dry_run else 'Acting on'} {source.words}")
    if dry_run or source.host is None:
        _show(source, request, as_json=as_json)
        return
    view = raise_request(source.host, request, source.branch)
    if as_json:
        emit_json(
            "coh.pull_requests/1",
            "pull_requests",
            [{"number": view.number, "url": view.url, "branch": request.branch, "head": view.head}],
        )
        return
    console().print(f"Raised pull request #{view.number}: {view.url}", markup=False)
    console().print(f"Next: coh check --pr {view.number}", markup=False)


def _show(source: Source, request: Draft, *, as_json: bool) -> None:
    texts = {path: _difference(source, path, new) for path, new in sorted(request.files.items())}
    if as_json:
        document: dict[str, Json] = {
            "title": request.title,
            "branch": request.branch,
            "diff": "".join(texts.values()),
        }
        emit_json("coh.dry_runs/1", "pull_requests", [document])
        return
    console().print(f"Would raise: {request.title}", markup=False)
    console().print(f"On branch:   {request.branch}", markup=False)
    sys.stdout.write("\n" + "".join(texts.values()))


def _difference(source: Source, path: str, new: bytes | None) -> str:
    old = read_from_folder(source.root)(path) if source.host is None else None
    if source.host is not None:
        old = source.host.read_file(path, source.commit)
    lines = difflib.unified_diff(
        (old or b"").decode("utf-8").splitlines(keepends=True),
        (new or b"").decode("utf-8").splitlines(keepends=True),
        f"a/{path}" if old is not None else "/dev/null",
        f"b/{path}" if new is not None else "/dev/null",
    )
    return "".join(lines)
