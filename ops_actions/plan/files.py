"""Changes of paths that are neither declared state nor a request."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ops_actions.change.model import FileChange, FileStatus
from ops_actions.plan.model import Change, Kind, Risk, Verb

if TYPE_CHECKING:
    from ops_actions.canonical import Json

_VERBS = {
    FileStatus.ADDED: Verb.CREATE,
    FileStatus.MODIFIED: Verb.UPDATE,
    FileStatus.REMOVED: Verb.DELETE,
}


def guardrail_change(file: FileChange) -> Change:
    """Return the change of a policy, a workflow, a people list or code."""
    return _file_change(file, Kind.GUARDRAIL, Risk.GUARDED, "Guardrail file")


def document_change(file: FileChange) -> Change:
    """Return the change of a document that nothing runs."""
    return _file_change(file, Kind.DOCUMENT, Risk.SAFE, "Document")


def _file_change(file: FileChange, kind: Kind, risk: Risk, noun: str) -> Change:
    return Change(
        verb=_VERBS[file.status],
        kind=kind,
        risk=risk,
        environment="",
        target=file.path,
        path=file.path,
        before=_fingerprint(file.before),
        after=_fingerprint(file.after),
        expected_live=None,
        desired_live=None,
        summary=f"{noun} {file.path} is {file.status.value}",
        inverse="Revert the merge",
        reversible=True,
    )


def _fingerprint(data: bytes | None) -> Json:
    """Return a digest of the content: enough to bind an approval, too little to leak a value."""
    return None if data is None else {"sha256": hashlib.sha256(data).hexdigest()}
