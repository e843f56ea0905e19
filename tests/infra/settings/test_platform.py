from __future__ import annotations

import pytest

from infra.settings.errors import SettingsError
from infra.settings.platform import parse_platform

GOOD = """\
vercel:
  project_id: prj_clarivumweb
  project: clarivum-web
  team_id: null
  production_domain: ops.clarivum.example
  preview_domain: ops-preview.clarivum.example
flagsmith:
  project: Clarivum Operations Hub
  environment: Production
slack:
  channel: C0OPSHUB
github:
  repository: clarivum/ops-hub
"""

REFUSED = [
    ("no slack", GOOD.replace("slack:\n  channel: C0OPSHUB\n", ""), 1, "`slack` is missing"),
    ("unknown section", GOOD + "stripe: {}\n", 14, "unknown key `stripe` in the file"),
    ("unknown key", GOOD.replace("team_id", "team"), 4, "unknown key `team` in vercel"),
    ("token", GOOD + "  token: canary\n", 14, "unknown key `token` in github"),
    ("project id", GOOD.replace("prj_clar", "clar"), 2, "vercel.project_id: string should match"),
    ("team id", GOOD.replace("null", "clarivum"), 4, "vercel.team_id: string should match"),
    ("URL", GOOD.replace("ops.clar", "https://ops.clar"), 5, "vercel.production_domain: string"),
    ("no domain", GOOD.replace("ops-preview.clarivum.example", "localhost"), 6, "preview_domain"),
    ("environment", GOOD.replace("Production", '" "'), 9, "flagsmith.environment: string"),
    ("slash", GOOD.replace("Production", "EU/prod"), 9, "flagsmith.environment: a Flagsmith name"),
    ("slash", GOOD.replace("Clarivum Operations", "a/b"), 8, "flagsmith.project: a Flagsmith name"),
    ("channel name", GOOD.replace("C0OPSHUB", '"#clarivum-ops"'), 11, "slack.channel: string"),
    ("repository", GOOD.replace("clarivum/ops-hub", "ops-hub"), 13, "github.repository: string"),
]


@pytest.mark.parametrize(
    ("text", "line", "what"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_refusal_names_line_and_fact(text: str, line: int, what: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_platform(text.encode(), "platform.yaml")
    assert (caught.value.source, caught.value.line) == ("platform.yaml", line)
    assert what in caught.value.what
    assert "canary" not in str(caught.value)


def test_a_good_file() -> None:
    platform = parse_platform(GOOD.encode(), "f")
    assert platform.vercel.project == "clarivum-web"
    assert platform.vercel.team_id is None
    assert platform.flagsmith.project == "Clarivum Operations Hub"
    assert platform.slack.channel == "C0OPSHUB"
    assert platform.github.repository == "clarivum/ops-hub"
