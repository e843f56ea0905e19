"""Rules about the files themselves: size, and that they name no machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.support.files import ROOT, project_files

if TYPE_CHECKING:
    from pathlib import Path

LINES = 300
SOURCES = ("*.py", "*.rego", "*.sh", "*.sql", "scripts/*", ".ci/run")
# Put together here, so that this file does not find itself.
_HOSTS = [
    f"{name}.{top}"
    for top, names in {
        "org": ("pypi", "pythonhosted", "proxy.golang", "sum.golang", "registry.npmjs"),
        "com": ("registry.yarnpkg",),
    }.items()
    for name in names
]
_PATHS = r"(?<![\w.~{}$/-])/(?:root|work|home/[a-z]\w*|Users/\w+)/"
FOREIGN = re.compile("|".join([*map(re.escape, _HOSTS), _PATHS]))
BINARY = re.compile(rb"\x00")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_sources_stay_short() -> None:
    sources = project_files(*SOURCES)
    assert len(sources) > 20
    lengths = {relative(path): path.read_bytes().count(b"\n") for path in sources}
    assert {name: lines for name, lines in lengths.items() if lines > LINES} == {}


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = [
        f"{relative(path)}:{number}: {line.strip()[:80]}"
        for path in project_files()
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if FOREIGN.search(line)
    ]
    assert found == []


def test_the_rule_about_machines_can_fail() -> None:
    root = "/"
    for folder in ("work/x", "root/x", "home/ann/x", "Users/Ann/x"):
        assert FOREIGN.search(f"cd '{root}{folder}'"), folder
    for host in _HOSTS:
        assert FOREIGN.search(f"https://{host}/simple"), host
    for line in ("/.github/workflows/x", "infra/work/x", "https://example.org/home/", "$HOME/x"):
        assert not FOREIGN.search(line), line


def test_no_file_is_binary() -> None:
    assert [relative(path) for path in project_files() if BINARY.search(path.read_bytes())] == []


def test_scripts_can_be_run() -> None:
    scripts = [path for path in project_files("scripts/*", ".ci/*") if path.parent.name != "lib"]
    assert {path.name for path in scripts} >= {"setup", "coh", "demo", "test", "lint", "lock"}
    assert [relative(path) for path in scripts if not path.stat().st_mode & 0o100] == []
