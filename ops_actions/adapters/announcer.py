"""Cross-posts to Slack, once for each message whatever crashes in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.clients.errors import ClientError
from ops_actions.errors import OutsideError

if TYPE_CHECKING:
    from infra.clients.slack import SlackClient
    from ops_actions.apply.protocol import Message


class SlackAnnouncer:
    """Implements `apply.protocol.Announcer`.

    Args:
        client: posts with a key in the message's metadata and looks for it first.
        channel: id of the channel.
    """

    def __init__(self, client: SlackClient, channel: str) -> None:
        self._client = client
        self._channel = channel

    def announce(self, message: Message) -> str:
        """Post a message once and return ``channel/ts``."""
        try:
            posted = self._client.post_once(self._channel, message.key, message.text)
        except ClientError as error:
            raise OutsideError(
                "outside.slack", str(error), "coh reconcile posts it later"
            ) from error
        return f"{posted.channel}/{posted.ts}"
