"""Where pull requests live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops_actions.adapters.github import GitHubHost

if TYPE_CHECKING:
    from ops_actions.adapters.target import Target
    from ops_actions.pull_request.model import CodeHost


def code_host(place: Target, *, read_only: bool = False) -> CodeHost:
    """Return GitHub."""
    return GitHubHost(
        place.need("COH_GITHUB_API"),
        place.need("COH_GITHUB_REPOSITORY"),
        place.need("COH_GITHUB_TOKEN"),
        account=place.get("COH_GITHUB_ACCOUNT"),
        read_only=read_only,
    )
