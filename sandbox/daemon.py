"""The process that is a running sandbox: Postgres and all emulators, until it is told to stop.

Started by `control.up` as ``python -m sandbox.daemon``; it writes ``connections.json`` once
everything answers, and removes it first when it stops.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import ExitStack

from infra.settings.environment import load_environment, read_from_folder
from ops_actions.wiring.place import ROOT
from sandbox import database
from sandbox.emulator.serve import ServiceServer
from sandbox.home import BOT, CHANNEL, REPOSITORY, Home, Secrets, home, prepare, write_private
from sandbox.services import applications


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    place = home()
    secrets = prepare(place, people())
    ports_file = place.folder / "ports.json"
    wanted = json.loads(ports_file.read_text("utf-8")) if ports_file.exists() else {}
    with ExitStack() as closing:  # only what was opened is closed, so that the first error shows
        apps, stores = applications(place, secrets)
        for store in stores:
            closing.callback(store.close)
        server = ServiceServer(apps, wanted)
        closing.callback(database.stop, place.database)
        url = database.start(place.database)
        server.start()
        closing.callback(server.stop)
        ports_file.write_text(json.dumps(server.ports), encoding="utf-8")
        closing.callback(place.connections.unlink, missing_ok=True)
        _publish(place, secrets, server.urls, url)
        stopping.wait()
    return 0


def people() -> list[str]:
    """Return the logins of everybody whom this checkout knows in production."""
    access = load_environment("production", read_from_folder(ROOT)).access
    return [person.login for person in access.people]


def _publish(place: Home, secrets: Secrets, urls: dict[str, str], database_url: str) -> None:
    values = {
        "COH_GITHUB_API": f"{urls['github']}/api/v3",
        "COH_GITHUB_REPOSITORY": REPOSITORY,
        "COH_GITHUB_TOKEN": secrets.people[BOT],
        "COH_GITHUB_ACCOUNT": BOT,
        "COH_CHECKOUT": str(place.repository),
        "COH_DATABASE_URL": database_url,
        "COH_FLAGSMITH_URL": urls["flagsmith"],
        "COH_FLAGSMITH_TOKEN": secrets.flagsmith,
        "COH_VERCEL_URL": urls["vercel"],
        "COH_VERCEL_TOKEN": secrets.vercel,
        "COH_SLACK_URL": f"{urls['slack']}/api/",
        "COH_SLACK_TOKEN": secrets.slack,
        "COH_SLACK_CHANNEL": CHANNEL,
        "COH_PULUMI_BACKEND": f"file://{place.pulumi / 'state'}",
        "COH_PULUMI_HOME": str(place.pulumi / "home"),
        "COH_PULUMI_WORK": str(place.pulumi / "work"),
        "COH_PULUMI_PASSPHRASE_FILE": str(place.pulumi / "passphrase"),
        **{f"COH_FLAGSMITH_KEY_{name.upper()}": key for name, key in secrets.environments.items()},
    }
    document = {
        "schema": "coh.sandbox/1",
        "pid": os.getpid(),
        "values": values,
        "tokens": secrets.people,
        "key": secrets.key,
        "urls": urls,
    }
    write_private(place.connections, json.dumps(document, indent=2))


if __name__ == "__main__":
    sys.exit(main())
