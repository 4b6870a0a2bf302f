"""What the rest of Optin gets from the providers' SPECs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.config.provider_settings import ProviderSettings
from bot.config.setting_values import ProviderSetting
from bot.consent.known_providers import KnownProvider, KnownProviders
from handlers.suppression_lists.provider_lists import ProviderLists
from handlers.webhooks.backfill_source import BackfillSource
from handlers.webhooks.provider import MailboxesOf, Provider
from handlers.webhooks.provider_spec import ProviderContext
from handlers.webhooks.providers import SPECS


def provider_settings() -> Sequence[ProviderSetting[Any]]:
    """The settings of every provider, for `Settings.read`."""
    return [setting for spec in SPECS.values() for setting in spec.settings]


def known_providers(
    settings: ProviderSettings | None = None, *, write_back: bool = False
) -> KnownProviders:
    """The labels and blocking words of every provider, for the use cases. With settings, also what
    Optin does with its suppression lists; `write_back` is OPTIN_WRITE_BACK."""
    given = settings or ProviderSettings()
    lists = {spec.name: spec.known_lists(given) for spec in SPECS.values() if spec.known_lists}
    if not write_back:
        lists = {name: known and known.read_only() for name, known in lists.items()}
    return KnownProviders(
        {
            spec.name: KnownProvider(
                label=spec.label,
                blocking_words=spec.blocking_words,
                ours=spec.ours,
                lists=lists.get(spec.name),
            )
            for spec in SPECS.values()
        }
    )


def list_clients(settings: ProviderSettings) -> Mapping[str, ProviderLists]:
    """The suppression lists that Optin has a key for, by provider.

    Raises ValueError with a sentence that names the setting that is missing or malformed.
    """
    made = {spec.name: spec.lists(settings) for spec in SPECS.values() if spec.lists}
    return {name: lists for name, lists in made.items() if lists is not None}


def lists_switches() -> Mapping[str, str]:
    """By provider, the name of the setting that switches its lists on."""
    return {spec.name: spec.lists_switch for spec in SPECS.values() if spec.lists_switch}


def make_providers(
    settings: ProviderSettings,
    *,
    public_url: str | None,
    mailboxes_of: MailboxesOf,
) -> list[Provider]:
    """The providers whose secret is set.

    Raises ValueError with a sentence that names the setting that is missing or malformed.
    """
    context = ProviderContext(settings=settings, public_url=public_url, mailboxes_of=mailboxes_of)
    made: list[Provider] = []
    for spec in SPECS.values():
        try:
            provider = spec.make(context)
        except ValueError as error:
            raise ValueError(f"{spec.switch} {error}.") from None
        if provider is not None:
            made.append(provider)
    return made


def backfill_sources(settings: ProviderSettings) -> list[BackfillSource]:
    """The providers that can be asked for what Optin missed while it was down."""
    asked = [spec.backfill(settings) for spec in SPECS.values() if spec.backfill]
    return [source for source in asked if source is not None]
