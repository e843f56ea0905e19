"""The process that is a sandbox: what it publishes, how it ends, how it fails to start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from ops_actions.errors import OutsideError
from ops_actions.wiring.place import ROOT, target
from sandbox import control
from sandbox.daemon import people
from sandbox.home import BOT
from sandbox.services import SERVICES
from tests.support.hub import ADMIN, COLLEAGUE, ENGINEER, SECOND_ADMIN

if TYPE_CHECKING:
    from sandbox.home import Home

STOP_SECONDS = 60


def test_everybody_who_may_act_in_production_gets_a_token() -> None:
    assert set(people()) >= {ENGINEER, COLLEAGUE, ADMIN, SECOND_ADMIN}


def end(place: Home, number: signal.Signals) -> None:
    """Send the signal and see that nothing of the sandbox is left but its state."""
    running = control.status(place)
    assert running is not None
    daemon = control._children.pop(running.pid)
    pid = (place.database / "postmaster.pid").read_text(encoding="utf-8").split("\n")[0]
    server = psutil.Process(int(pid))
    daemon.send_signal(number)
    assert daemon.wait(STOP_SECONDS) == 0
    assert not place.connections.exists()
    assert not server.is_running()
    assert place.log.read_text(encoding="utf-8") == ""


def test_it_publishes_all_that_the_tools_need_and_ends_by_sigterm(
    place: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = control.up(place)
    document = json.loads(place.connections.read_text(encoding="utf-8"))
    assert document["schema"] == "coh.sandbox/1"
    assert set(running.urls) == set(SERVICES)
    assert set(running.tokens) == {*people(), BOT}
    monkeypatch.setenv("COH_STATE_DIR", str(place.folder))
    monkeypatch.delenv("COH_GITHUB_TOKEN", raising=False)
    found = target(sandbox=True)
    for name, value in running.values.items():
        assert found.need(name) == value
    end(place, signal.SIGTERM)


def test_the_first_cause_of_a_failed_start_is_the_one_that_is_told(place: Home) -> None:
    control.up(place)
    control.down(place)
    place.database.rename(place.folder / "elsewhere")
    place.database.write_text("", encoding="utf-8")
    with pytest.raises(OutsideError) as failed:
        control.up(place)
    assert failed.value.code == "sandbox.start_failed"
    assert "FileExistsError" in failed.value.fact
    assert str(place.database) in failed.value.fact
    assert control.status(place) is None


def test_taken_ports_are_left_to_their_owner(place: Home) -> None:
    """What listens on the ports of the last run keeps them; the sandbox comes up on others."""
    before = control.up(place)
    end(place, signal.SIGINT)
    port = before.urls["github"].rpartition(":")[2]
    listen = (
        "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1])));"
        "print('listening', flush=True); sys.stdin.read()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", listen, port],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ,
    )
    with owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"listening\n"
        after = control.up(place)
    assert after.urls["github"] != before.urls["github"]
    assert {name: url for name, url in after.urls.items() if name != "github"} == {
        name: url for name, url in before.urls.items() if name != "github"
    }
