"""Environment variables of a project; a 201 is not success until `failed` is empty."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from sandbox.vercel.call import VercelError, reply

if TYPE_CHECKING:
    from starlette.responses import Response

    from sandbox.emulator import Document
    from sandbox.vercel.call import Call

EDITABLE = ("key", "value", "type", "target", "gitBranch", "comment", "customEnvironmentIds")


def list_variables(call: Call) -> Response:
    """List variables; values are clear text only for `plain`, or with `decrypt=true`."""
    project = call.project()["id"]
    clear = call.query("decrypt") == "true"
    branch = call.query("gitBranch")
    found = [
        one
        for one in call.store.all(f"env/{project}")
        if branch is None or one.get("gitBranch") == branch
    ]
    return reply({"envs": [_show(one, clear=clear) for one in found]})


def get_variable(call: Call) -> Response:
    """Give one variable with its value in clear text, unless it is `sensitive`."""
    return reply(_show(_variable(call), clear=True))


def create_variables(call: Call) -> Response:
    """Make one variable, refused as a whole, or a list, refused one by one inside a 201."""
    project = call.project()["id"]
    if isinstance(call.body, dict):
        created = _show(_create(call, project, call.body), clear=False)
        return reply({"created": created, "failed": []}, 201)
    made: list[Document] = []
    failed: list[Document] = []
    for given in call.body:
        try:
            made.append(_show(_create(call, project, given), clear=False))
        except VercelError as refusal:
            failed.append({"error": refusal.error})
    return reply({"created": made, "failed": failed}, 201)


def edit_variable(call: Call) -> Response:
    """Change a variable."""
    project = call.project()["id"]
    variable = _variable(call)
    changed = {**variable, **{name: call.body[name] for name in EDITABLE if name in call.body}}
    _check(call, project, changed)
    changed["updatedAt"] = call.now
    call.store.put(f"env/{project}", changed["id"], changed)
    return reply(_show(changed, clear=False))


def remove_variable(call: Call) -> Response:
    """Drop a variable; the answer is what it was."""
    variable = _variable(call)
    call.store.delete(f"env/{call.project()['id']}", variable["id"])
    return reply(_show(variable, clear=False))


def _create(call: Call, project: str, given: Document) -> Document:
    variable = {
        "id": secrets.token_hex(8),
        "target": [],
        **{name: given[name] for name in EDITABLE if name in given},
        "createdAt": call.now,
        "updatedAt": call.now,
        "createdBy": None,
        "updatedBy": None,
    }
    if call.query("upsert") == "true":
        old = _conflicting(call, project, variable)
        if old is not None:
            variable |= {"id": old["id"], "createdAt": old["createdAt"]}
    _check(call, project, variable)
    call.store.put(f"env/{project}", variable["id"], variable)
    return variable


def _check(call: Call, project: str, variable: Document) -> None:
    branch = variable.get("gitBranch")
    if not variable["target"] and not variable.get("customEnvironmentIds"):
        raise VercelError(400, "bad_request", "A variable needs a target.")
    if branch and variable["target"] != ["preview"]:
        raise VercelError(400, "bad_request", "gitBranch needs target preview alone.")
    old = _conflicting(call, project, variable)
    if old is None:
        return
    raise VercelError(
        400,
        "ENV_CONFLICT",
        f"The variable {variable['key']} already exists for a target.",
        key=variable["key"],
        envVarKey=old["key"],
        envVarId=old["id"],
        target=old["target"],
        **({"gitBranch": branch} if branch else {}),
    )


def _conflicting(call: Call, project: str, variable: Document) -> Document | None:
    for one in call.store.all(f"env/{project}"):
        same = one["key"] == variable["key"] and one["id"] != variable["id"]
        branches = one.get("gitBranch") == variable.get("gitBranch")
        if same and branches and set(one["target"]) & set(variable["target"]):
            return one
    return None


def _variable(call: Call) -> Document:
    found = call.store.get(f"env/{call.project()['id']}", call.text("id"))
    if found is None:
        raise VercelError(404, "not_found", "The environment variable was not found.")
    return found


def _show(variable: Document, *, clear: bool) -> Document:
    shown = {name: value for name, value in variable.items() if name != "gitBranch" or value}
    match variable["type"]:
        case "sensitive":
            shown["value"] = ""
        case "plain" | "system":
            pass
        case _ if not clear:
            shown["value"] = hashlib.sha256(variable["value"].encode()).hexdigest()
    return {**shown, "decrypted": clear and variable["type"] != "sensitive"}
