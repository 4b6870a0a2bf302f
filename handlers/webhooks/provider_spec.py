"""What a provider's folder says of the provider: its `SPEC`, from which all the rest follows.

The settings, `optin doctor`, the routes, the labels, the words that block and the tests read it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.config.provider_settings import ProviderSettings
from bot.config.setting_values import ProviderSetting
from bot.consent.known_providers import BlockingWords, KnownLists
from bot.consent.model import Channel
from handlers.suppression_lists.provider_lists import ProviderLists
from handlers.webhooks.backfill_source import BackfillSource
from handlers.webhooks.provider import MailboxesOf, Provider, Route


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderContext:
    """What a provider can be made of. Each takes what it needs."""

    settings: ProviderSettings
    #: `OPTIN_PUBLIC_URL`, for providers that sign the address that they call.
    public_url: str | None
    #: For links that name a contact.
    mailboxes_of: MailboxesOf


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """One provider."""

    #: In lower case. Its folder, its fixtures, the events and the log call it by this.
    name: str
    #: As people call it, in the middle of a sentence.
    label: str
    #: What it carries.
    channel: Channel
    #: The first is the secret that switches it on.
    settings: tuple[ProviderSetting[Any], ...]
    #: Which texts it blocks by itself, by its own documentation, linked beside it. An SMS provider
    #: must say it: without it, nobody can tell whether a contact has to text UNSTOP. Begin with
    #: `COMMON` of `bot.consent.known_providers`, which has what nearly all of them block.
    blocking_words: BlockingWords | None = None
    #: Where it calls, and which answer it expects.
    routes: tuple[Route, ...]
    #: Asks it for the events that Optin missed. None where it can't be asked, or is not set up.
    backfill: Callable[[ProviderSettings], BackfillSource | None] | None = None
    #: Its suppression lists, by a key for its API. None where the key is not set. Raises ValueError
    #: with a sentence that names the setting.
    lists: Callable[[ProviderSettings], ProviderLists | None] | None = None
    #: What Optin does with these lists, by the settings, where it may write at all.
    known_lists: Callable[[ProviderSettings], KnownLists | None] | None = None
    #: The name of the setting that switches the lists on. They may be on without its webhook.
    lists_switch: str = ""
    #: None where its secret is not set. Raises ValueError with the rest of a sentence that begins
    #: with the name of the first setting.
    make: Callable[[ProviderContext], Provider | None]
    #: Calls the address of a `Confirmation`, after the answer. Raises `InvalidSignature` where
    #: there is nothing to confirm, and `VerificationUnavailable` to be called again. One provider
    #: at most can have it: what is kept of a confirmation does not name its provider.
    confirm: Callable[[str], bytes] | None = None
    #: What `optin doctor` advises after a failure, by `ReceiveOutcome`, in place of what it says
    #: of every provider; `missed` is a failed backfill.
    advice: Mapping[str, str] = field(default_factory=dict)
    #: How `optin doctor` and the documentation call it at the beginning of a line; else the label.
    title: str = ""
    #: Not a company, but Optin's own link: it keeps no suppression list and can't be retired.
    ours: bool = False

    @property
    def switch(self) -> str:
        """The name of the setting that switches it on."""
        return self.settings[0].name

    @property
    def heading(self) -> str:
        """Its name at the beginning of a line."""
        return self.title or self.label


def register(specs: Iterable[ProviderSpec]) -> Mapping[str, ProviderSpec]:
    """The providers by name. Raises ValueError with what is missing or there twice."""
    table: dict[str, ProviderSpec] = {}
    for spec in specs:
        if spec.name in table:
            raise ValueError(f"Two providers are called {spec.name!r}.")
        if spec.channel is Channel.SMS and spec.blocking_words is None:
            raise ValueError(
                f"The SMS provider {spec.name!r} has no blocking words. Say in its SPEC which "
                "texts it blocks by itself: `blocking_words=BlockingWords(COMMON)`, with what its "
                "documentation adds (both names are in bot.consent.known_providers). Without "
                "them, a re-opt-in would complete without the contact's UNSTOP."
            )
        if not spec.settings or not spec.routes:
            raise ValueError(f"The provider {spec.name!r} needs a setting and a route in its SPEC.")
        table[spec.name] = spec
    if sum(spec.confirm is not None for spec in table.values()) > 1:
        raise ValueError("Two providers have a `confirm`, and confirmations don't name theirs.")
    _refuse_twice("setting", [one.name for spec in table.values() for one in spec.settings])
    _refuse_twice("route", [one.path for spec in table.values() for one in spec.routes])
    return table


def _refuse_twice(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"Two providers have the {what} {name}.")
        seen.add(name)
