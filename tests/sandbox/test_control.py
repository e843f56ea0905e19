"""Starting, stopping and looking at sandboxes, with the real daemon and the real Postgres."""

from __future__ import annotations

import json
import re
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import psycopg
import pytest

from infra.clients.flagsmith import flagsmith_client
from infra.clients.flagsmith_models import FlagState
from ops_actions.errors import BadRequestError, OutsideError
from ops_actions.wiring.place import ROOT
from sandbox import control, database
from sandbox.home import BOT, Home
from tests.support.hub import PRODUCTION

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.control import Running
    from tests.support.hub import Hub

FLAG = "ops_module_webhooks"
SOCKET_LIMIT = 107  # bytes of a unix socket's path


def postgres_pid(place: Home) -> int:
    return int((place.database / "postmaster.pid").read_text(encoding="utf-8").split("\n")[0])


def family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def answers(running: Running) -> bool:
    """Whether GitHub takes the bot's token and Postgres takes a connection."""
    answer = httpx.get(
        f"{running.values['COH_GITHUB_API']}/rate_limit",
        headers={"Authorization": f"Bearer {running.tokens[BOT]}"},
    )
    with psycopg.connect(running.values["COH_DATABASE_URL"]) as connection:
        return answer.is_success and connection.execute("select 1").fetchone() == (1,)


def daemons_of(place: Home) -> list[int]:
    """Every daemon of a state folder, whether it published itself or not."""
    found: list[int] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if "sandbox.daemon" in process.cmdline():
                folder = process.environ().get("COH_STATE_DIR")
                found += [process.pid] if folder == str(place.folder) else []
    return found


def command(place: Home, *words: str) -> list[str]:
    coh = (sys.executable, "-m", "ops_actions.cli")
    return ["env", f"COH_STATE_DIR={place.folder}", *coh, *words]


def listened_on(process: psutil.Process) -> list[Any]:
    """The addresses a process listens on; a worker of Postgres may just have gone."""
    with suppress(psutil.NoSuchProcess):
        found = process.net_connections(kind="inet")
        return [one.laddr for one in found if one.status == psutil.CONN_LISTEN]
    return []


def test_up_is_private_reachable_from_here_only_and_leaves_nothing_behind(place: Home) -> None:
    running = control.up(place)
    assert control.up(place) == running == control.status(place)
    assert answers(running)

    daemon, server = family(running.pid), family(postgres_pid(place))
    listening = [address for process in (*daemon, *server) for address in listened_on(process)]
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert {f"http://127.0.0.1:{address.port}" for address in listening} == set(
        running.urls.values()
    )
    secret = [place.connections, place.folder / "secrets.json", place.pulumi / "passphrase"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}
    private = [place.database, place.pulumi, place.repository.parent, place.folder / "services"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o700}

    assert control.down(place)
    assert [process for process in (*daemon, *server) if process.is_running()] == []
    assert control.status(place) is None
    assert not control.down(place)


def test_state_survives_down_and_up(hub: Hub) -> None:
    place = Home(hub.folder)
    values, urls = hub.running.values, hub.running.urls
    number = hub.raise_toggle(FLAG, enabled=False, reason="Retries loop")
    client = flagsmith_client(
        values["COH_FLAGSMITH_URL"],
        values["COH_FLAGSMITH_TOKEN"],
        values["COH_FLAGSMITH_KEY_PRODUCTION"],
    )
    feature = client.find_feature(FLAG)
    assert feature is not None
    client.set_state(feature, FlagState(enabled=False))
    client.close()
    cursor = hub.rows("select * from public.ops_apply_cursor")
    assert len(cursor) == 1

    assert control.down(place)
    hub.running = control.up(place)

    assert hub.running.urls == urls
    assert hub.flag(PRODUCTION, FLAG) is False
    assert hub.host(BOT).pull_request(number).number == number
    assert hub.rows("select * from public.ops_apply_cursor") == cursor


def test_two_sandboxes_live_side_by_side(new_place: Callable[[str], Home]) -> None:
    places = new_place("one"), new_place("two")
    one, two = (control.up(place) for place in places)
    assert {*one.urls.values()}.isdisjoint(two.urls.values())
    assert one.tokens[BOT] != two.tokens[BOT]
    stranger = httpx.get(
        f"{two.values['COH_GITHUB_API']}/rate_limit",
        headers={"Authorization": f"Bearer {one.tokens[BOT]}"},
    )
    assert stranger.status_code == 401
    control.down(places[0])
    assert answers(two)


def test_a_number_that_went_to_another_sandbox_is_not_ours(
    new_place: Callable[[str], Home],
) -> None:
    """A reboot leaves the file of a daemon that is gone; its number may be the other one's now."""
    here, other = new_place("here"), new_place("other")
    running = control.up(here)
    left = here.connections.read_text(encoding="utf-8")
    control.down(here)
    neighbour = control.up(other)
    stale = left.replace(f'"pid": {running.pid}', f'"pid": {neighbour.pid}')
    here.connections.write_text(stale, encoding="utf-8")
    assert control.status(here) is None
    assert not control.down(here)
    assert answers(neighbour)


@pytest.mark.parametrize("content", ["[]", "{}"])
def test_addresses_that_no_sandbox_wrote_are_refused(place: Home, content: str) -> None:
    place.folder.mkdir()
    place.connections.write_text(content, encoding="utf-8")
    with pytest.raises(BadRequestError) as refused:
        control.status(place)
    assert refused.value.code == "sandbox.bad_connections"
    assert str(place.connections) in refused.value.fact


def test_secrets_are_made_by_one_start_at_a_time(place: Home) -> None:
    place.folder.mkdir()
    with control._alone(place):
        start = subprocess.Popen(command(place, "sandbox", "up"), cwd=ROOT)
        with pytest.raises(subprocess.TimeoutExpired):
            start.wait(3)
        assert list(place.folder.iterdir()) == []
    assert start.wait(60) == 0


def test_two_that_start_the_same_sandbox_get_one(place: Home) -> None:
    starts = [
        subprocess.Popen(
            command(place, "sandbox", "up", "--json"), cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    outputs = [start.communicate()[0] for start in starts]
    assert [start.returncode for start in starts] == [0, 0]
    pids = {json.loads(output)["sandboxes"][0]["pid"] for output in outputs}
    assert [*pids] == daemons_of(place)


def test_a_killed_daemon_is_replaced_and_its_postgres_taken_over(place: Home) -> None:
    killed = control.up(place)
    server = postgres_pid(place)
    with psycopg.connect(killed.values["COH_DATABASE_URL"]) as connection:
        connection.execute("create table kept as select 7 as number")
    psutil.Process(killed.pid).send_signal(signal.SIGKILL)
    control._children.pop(killed.pid).wait()
    assert control.status(place) is None

    running = control.up(place)
    assert running.pid != killed.pid
    assert running.urls == killed.urls
    assert postgres_pid(place) == server
    with psycopg.connect(running.values["COH_DATABASE_URL"]) as connection:
        assert connection.execute("select number from kept").fetchone() == (7,)

    psutil.Process(running.pid).send_signal(signal.SIGKILL)
    control._children.pop(running.pid).wait()
    control.down(place)
    assert not psutil.pid_exists(server)


def test_a_file_that_names_somebody_elses_process_is_no_postgres(
    new_place: Callable[[str], Home],
) -> None:
    original, copy = new_place("original"), new_place("copy")
    control.up(original)
    server = postgres_pid(original)
    # What a copy of a running folder holds, and what a reboot leaves: numbers of other processes.
    with subprocess.Popen(["sleep", "600"]) as bystander:
        try:
            control.up(copy)
            control.down(copy)
            for number in (server, bystander.pid):
                left = (original.database / "postmaster.pid").read_text(encoding="utf-8")
                (copy.database / "postmaster.pid").write_text(
                    left.replace(str(server), str(number), 1), encoding="utf-8"
                )
                database.stop(copy.database)
                assert bystander.poll() is None
                assert psutil.pid_exists(server)
            assert answers(control.up(copy))
            assert postgres_pid(copy) not in (server, bystander.pid)
        finally:
            bystander.kill()


def test_a_foreign_folder_is_neither_used_nor_stopped(place: Home) -> None:
    place.folder.mkdir()
    precious = place.folder / "precious"
    precious.write_text("mine", encoding="utf-8")
    with pytest.raises(BadRequestError) as refused:
        control.up(place)
    assert refused.value.code == "sandbox.foreign_folder"
    assert list(place.folder.iterdir()) == [precious]


def test_the_postgres_of_a_foreign_folder_is_not_stopped(new_place: Callable[[str], Home]) -> None:
    foreign = new_place("foreign")
    foreign.folder.mkdir()
    database.start(foreign.database)
    server = postgres_pid(foreign)
    try:
        assert not control.down(foreign)
        assert psutil.pid_exists(server)
    finally:
        database.stop(foreign.database)
    assert not psutil.pid_exists(server)


@pytest.mark.parametrize("name", ["with space", "quo'te", "dol$lar"])
def test_a_folder_that_postgres_can_not_name_is_refused(
    new_place: Callable[[str], Home], name: str
) -> None:
    place = new_place(name)
    with pytest.raises(BadRequestError, match=r"^sandbox\.bad_folder:"):
        control.up(place)
    assert not place.folder.exists()


def test_a_file_is_no_folder(place: Home) -> None:
    place.folder.write_text("", encoding="utf-8")
    with pytest.raises(BadRequestError, match=r"^sandbox\.bad_folder:"):
        control.up(place)


def test_a_path_too_long_for_a_socket_works(new_place: Callable[[str], Home]) -> None:
    place = new_place("/".join(["long-enough-to-be-too-long"] * 6))
    assert len(str(place.database / ".s.PGSQL.5432")) > SOCKET_LIMIT
    running = control.up(place)
    assert answers(running)
    server = postgres_pid(place)
    control.down(place)
    assert not psutil.pid_exists(server)


def test_a_start_that_fails_says_why_and_leaves_nothing(place: Home) -> None:
    """A machine without a free file, which is also how it runs out of sockets and ports."""
    run = subprocess.run(
        ["bash", "-c", 'ulimit -n 14 && exec "$@"', "_", *command(place, "sandbox", "up")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == OutsideError.exit_code, run.stderr
    assert "sandbox.start_failed" in run.stderr
    assert re.search("Too many open files|unable to open", run.stderr)
    assert str(place.log) in run.stderr
    assert not place.connections.exists()
    assert daemons_of(place) == []
