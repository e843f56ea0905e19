"""What the README says can be done, can be done."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.support.files import ROOT, project_files

README = ROOT / "README.md"
_FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HELP = re.compile(r"\A\$ (?:scripts/)?coh(?P<words>[^\n]*) --help\n(?P<said>.*)\Z", re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
_SCRIPT = re.compile(r"(?<![\w/.])(?:\./)?(scripts/[\w-]+|\.ci/run)\b")


def readme() -> str:
    return README.read_text(encoding="utf-8")


def help_blocks() -> list[tuple[tuple[str, ...], str]]:
    """Fenced blocks that start with `$ scripts/coh … --help`: the words between, and the rest."""
    found = [_HELP.match(block) for block in _FENCE.findall(readme())]
    return [(tuple(block["words"].split()), block["said"]) for block in found if block]


def test_the_two_commands_are_the_documented_ones() -> None:
    blocks = "\n".join(_FENCE.findall(readme()))
    assert {"scripts/demo", "scripts/test"} <= set(_SCRIPT.findall(blocks))


def test_every_script_that_is_named_can_be_run() -> None:
    named = {*_SCRIPT.findall(readme())}
    assert named
    assert [name for name in sorted(named) if not os.access(ROOT / name, os.X_OK)] == []


def test_help_is_as_printed() -> None:
    """Made with COLUMNS=100 NO_COLOR=1 TERM=dumb; space at the end of lines does not count."""
    plain = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb", "PYTHONPATH": str(ROOT)}
    blocks = help_blocks()
    assert blocks
    for words, said in blocks:
        command = [sys.executable, "-P", "-m", "ops_actions.cli", *words, "--help"]
        run = subprocess.run(
            command, env={**os.environ, **plain}, capture_output=True, text=True, check=True
        )
        assert lines(run.stdout) == lines(said), f"coh {' '.join(words)} --help"


def test_links_between_documents_lead_somewhere() -> None:
    documents = project_files("*.md")
    links = [(path, link) for path in documents for link in _LINK.findall(path.read_text("utf-8"))]
    assert links
    dead = [f"{path.name}: {link}" for path, link in links if not (path.parent / link).exists()]
    assert dead == []


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]
