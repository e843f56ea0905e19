"""Slack as far as posting, updating and listing go, and its incoming webhooks."""

from sandbox.slack.app import create_app
from sandbox.slack.seed import ChannelSeed, WebhookSeed, seed

__all__ = ["ChannelSeed", "WebhookSeed", "create_app", "seed"]
