"""Projects: list, make, read, change, drop."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sandbox.vercel.aliasing import advance
from sandbox.vercel.call import VercelError, empty, reply
from sandbox.vercel.deployments import target_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from sandbox.emulator import Document, Store
    from sandbox.vercel.call import Call

CONFIGURATION = (
    "framework",
    "buildCommand",
    "installCommand",
    "devCommand",
    "outputDirectory",
    "rootDirectory",
)
EDITABLE = (*CONFIGURATION, "nodeVersion", "autoExposeSystemEnvs", "autoAssignCustomDomains")


def new_project(store: Store, team: str, name: str, number: str, now: int) -> Document:
    """Make and keep a project without deployments."""
    project: Document = {
        "id": number,
        "name": name,
        "accountId": team,
        "nodeVersion": "22.x",
        "autoExposeSystemEnvs": True,
        "autoAssignCustomDomains": True,
        "createdAt": now,
        "updatedAt": now,
        "live": False,
        "production": None,
        "lastAliasRequest": None,
        "lastRollbackTarget": None,
        **dict.fromkeys(CONFIGURATION),
    }
    store.put("projects", number, project)
    store.put("project_names", name, {"id": number})
    return project


def list_projects(call: Call) -> Response:
    """List projects, newest first; `search` looks into names."""
    search = call.query("search") or ""
    found = [one for one in reversed(call.store.all("projects")) if search in one["name"]]
    shown, pagination = call.page(found, lambda one: int(one["createdAt"]))
    return reply({"projects": [show(call.store, one) for one in shown], "pagination": pagination})


def create_project(call: Call) -> Response:
    """Make a project."""
    name = call.body["name"]
    if call.store.get("project_names", name) is not None:
        raise VercelError(409, "conflict", f"A project named {name} already exists.")
    team = call.store.all("teams")[0]["id"]
    project = new_project(call.store, team, name, f"prj_{secrets.token_hex(12)}", call.now)
    project |= {key: call.body[key] for key in CONFIGURATION if key in call.body}
    call.store.put("projects", project["id"], project)
    return reply(show(call.store, project))


def get_project(call: Call) -> Response:
    """Give one project; each look lets a running promotion or rollback go one step further."""
    project = call.project()
    answer = reply(show(call.store, project))
    advance(call.store, project, call.now)
    return answer


def update_project(call: Call) -> Response:
    """Change a project."""
    project = call.project()
    name = call.body.get("name", project["name"])
    if name != project["name"]:
        if call.store.get("project_names", name) is not None:
            raise VercelError(409, "conflict", f"A project named {name} already exists.")
        call.store.delete("project_names", project["name"])
        call.store.put("project_names", name, {"id": project["id"]})
    project |= {key: call.body[key] for key in EDITABLE if key in call.body}
    project |= {"name": name, "updatedAt": call.now}
    call.store.put("projects", project["id"], project)
    return reply(show(call.store, project))


def delete_project(call: Call) -> Response:
    """Drop a project with its deployments and variables."""
    project = call.project()
    for deployment in call.store.all("deployments"):
        if deployment["projectId"] == project["id"]:
            call.store.delete("deployments", deployment["id"])
    for variable in call.store.all(f"env/{project['id']}"):
        call.store.delete(f"env/{project['id']}", variable["id"])
    call.store.delete("project_names", project["name"])
    call.store.delete("projects", project["id"])
    return empty(204)


def show(store: Store, project: Document) -> Document:
    """Show a project with its current production deployment."""
    current = store.get("deployments", project["production"] or "")
    kept = {name: value for name, value in project.items() if name not in {"production", "job"}}
    return {**kept, "targets": {"production": target_of(current) if current else None}}
