"""Fill a Slack emulator with a bot, its channels and incoming webhooks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.emulator import Store

TEAM = "T0SANDBOX"
BOT_USER = "U0SANDBOX"
BOT = "B0SANDBOX"


@dataclass(frozen=True)
class ChannelSeed:
    """One channel.

    Attributes:
        id: such as `C0OPS`.
        name: without the leading #.
        private: whether it is private.
        archived: whether it takes no messages any more.
        member: whether the bot is in it.
    """

    id: str
    name: str
    private: bool = False
    archived: bool = False
    member: bool = True


@dataclass(frozen=True)
class WebhookSeed:
    """One incoming webhook, `/services/<TEAM>/<hook>/<secret>`.

    Attributes:
        hook: its number.
        secret: the last part of its address.
        channel: number of the channel it posts to.
    """

    hook: str
    secret: str
    channel: str


def seed(
    store: Store,
    *,
    token: str,
    channels: Sequence[ChannelSeed],
    webhooks: Sequence[WebhookSeed] = (),
) -> None:
    """Make a workspace, in one transaction.

    Args:
        store: the emulator's state, empty.
        token: the bot's, sent as `Authorization: Bearer <token>`.
        channels: what there is to post to.
        webhooks: ways in without a token.
    """
    with store.transaction():
        store.put("tokens", digest(token), {"user": BOT_USER})
        for one in channels:
            store.put(
                "channels",
                one.id,
                {
                    "id": one.id,
                    "name": one.name,
                    "is_channel": True,
                    "is_private": one.private,
                    "is_archived": one.archived,
                    "is_member": one.member,
                    "num_members": int(one.member),
                },
            )
        for hook in webhooks:
            entry = {"secret": digest(hook.secret), "channel": hook.channel}
            store.put("webhooks", hook.hook, entry)


def digest(secret: str) -> str:
    """Turn a secret into what is kept of it."""
    return hashlib.sha256(secret.encode()).hexdigest()
