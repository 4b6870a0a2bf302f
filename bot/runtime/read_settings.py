"""The settings, with those of every provider: for the bot and the command line alike."""

from __future__ import annotations

from collections.abc import Mapping

from bot.config.settings import Settings
from handlers.webhooks.registry import provider_settings


def read_settings(env: Mapping[str, str], *, need_slack: bool = False) -> Settings:
    """As `Settings.read`, and raises as it does."""
    return Settings.read(env, provider_settings(), need_slack=need_slack)
