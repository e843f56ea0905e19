from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.settings.environment import (
    ENVIRONMENTS,
    EnvironmentSettings,
    file_of,
    load_environment,
    load_platforms,
    read_from_folder,
)
from infra.settings.errors import SettingsError
from infra.settings.flags import FlagType

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture(params=ENVIRONMENTS)
def settings(request: pytest.FixtureRequest) -> EnvironmentSettings:
    return load_environment(request.param, read_from_folder(ROOT))


def test_declared_state_of_the_project_is_valid(settings: EnvironmentSettings) -> None:
    gate = settings.flag("ops_gate_deployment_rollback")
    assert gate is not None
    assert gate.type is FlagType.DESTRUCTIVE_GATE
    assert settings.flag("no_such_flag") is None
    assert settings.platform.flagsmith.environment.lower() == settings.name


def test_every_role_is_held_and_two_people_can_always_approve(
    settings: EnvironmentSettings,
) -> None:
    held = [settings.access.roles_at(p.login, NOW) for p in settings.access.people]
    assert {role for roles in held for role in roles} == {
        "ops_admin",
        "ops_editor",
        "ops_finance",
        "ops_viewer",
    }
    # The author of a change can't approve it, and two admins must be left for a destructive one.
    assert sum("ops_admin" in roles for roles in held) >= 3


def test_destructive_gates_are_closed_in_production() -> None:
    flags = load_environment("production", read_from_folder(ROOT)).flags.flags.values()
    assert [f.enabled for f in flags if f.type is FlagType.DESTRUCTIVE_GATE] == [False]


def test_flags_that_must_expire_have_a_day_and_all_have_an_owner(
    settings: EnvironmentSettings,
) -> None:
    for flag in settings.flags.flags.values():
        lasting = flag.type in (FlagType.KILL_SWITCH, FlagType.PERMISSION)
        assert (flag.expires is None) == lasting
        assert flag.owner in {"platform", "operations", "finance", "growth"}


@pytest.mark.parametrize("what", ["flags", "access", "platform"])
def test_each_file_names_its_schema(what: str) -> None:
    for environment in ENVIRONMENTS:
        file = ROOT / file_of(environment, what)
        line = file.read_text(encoding="utf-8").splitlines()[0]
        prefix = "# yaml-language-server: $schema="
        assert line.startswith(prefix)
        schema = (file.parent / line.removeprefix(prefix)).resolve()
        assert schema == ROOT / "schemas" / f"{what}.schema.json"
        assert schema.is_file()


@pytest.mark.parametrize("missing", ["flags", "access", "platform"])
def test_a_missing_file_is_an_error_not_an_empty_one(missing: str) -> None:
    read = read_from_folder(ROOT)

    def without(path: str) -> bytes | None:
        return None if path.endswith(f"/{missing}.yaml") else read(path)

    with pytest.raises(SettingsError) as caught:
        load_environment("staging", without)
    assert caught.value.source == f"infra/environments/staging/{missing}.yaml"
    assert caught.value.what == "the file is missing"


def test_an_unknown_environment_names_the_nearest_and_all() -> None:
    with pytest.raises(SettingsError) as caught:
        load_environment("prodution", read_from_folder(ROOT))
    assert "`prodution`" in caught.value.what
    assert caught.value.write == "`production` (known: sandbox, staging, production)"


@pytest.mark.parametrize("name", ["", "..", "staging/../production", "Production", "x"])
def test_no_other_name_reaches_a_file(name: str) -> None:
    def read(path: str) -> bytes | None:
        raise AssertionError(path)

    with pytest.raises(SettingsError, match="there is no environment"):
        load_environment(name, read)


def test_a_symbolic_link_is_not_declared_state(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"a: 1\n")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    read = read_from_folder(tmp_path)
    assert read("real") == b"a: 1\n"
    assert read("link") is None
    assert read("none") is None


def test_every_environment_lives_in_a_place_of_its_own() -> None:
    platforms = load_platforms(read_from_folder(ROOT))
    assert list(platforms) == list(ENVIRONMENTS)
    for field in ("project_id", "project", "production_domain", "preview_domain"):
        names = [getattr(platform.vercel, field) for platform in platforms.values()]
        assert len(set(names)) == len(ENVIRONMENTS), field


@pytest.mark.parametrize(
    ("field", "taken"),
    [
        ("project", "clarivum-web"),
        ("project_id", "prj_clarivumweb"),
        ("production_domain", "ops.clarivum.example"),
        ("preview_domain", "ops-preview.clarivum.example"),
        # Vercel takes a name where it takes an id, and a domain is a domain.
        ("project", "prj_clarivumweb"),
        ("preview_domain", "ops.clarivum.example"),
    ],
)
@pytest.mark.parametrize("environment", ["sandbox", "staging"])
def test_two_environments_can_not_share_a_project_or_a_domain(
    environment: str, field: str, taken: str
) -> None:
    path, read = file_of(environment, "platform"), read_from_folder(ROOT)
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    number = next(n for n, line in enumerate(lines) if line.startswith(f"  {field}:"))
    lines[number] = f"  {field}: {taken}"
    text = "\n".join(lines).encode()

    with pytest.raises(SettingsError) as caught:
        load_platforms(lambda asked: text if asked == path else read(asked))

    error = caught.value
    assert (error.source, error.line) == (path, number + 1)
    assert error.what == f"vercel.{field} names what {file_of('production', 'platform')} names too"
    assert environment in error.write


def test_environments_are_told_apart_only_when_all_are_known() -> None:
    path, read = file_of("production", "platform"), read_from_folder(ROOT)
    with pytest.raises(SettingsError) as caught:
        load_platforms(lambda asked: None if asked == path else read(asked))
    assert (caught.value.source, caught.value.what) == (path, "the file is missing")
