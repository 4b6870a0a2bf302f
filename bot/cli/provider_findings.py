"""What `optin doctor` says of the messaging providers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta

from bot.cli.finding import Finding
from bot.config.settings import Settings
from bot.consent.errors import StorageFailed
from bot.runtime import clock
from handlers.webhooks.provider_spec import ProviderSpec
from handlers.webhooks.providers import SPECS
from handlers.webhooks.receiver.provider_health import ProviderStatus, provider_status
from handlers.webhooks.receiver.receive import FORWARDED
from handlers.webhooks.registry import make_providers
from handlers.webhooks.signatures import MemoryReplayGuard
from storage import open_store

#: By kind of failure: what it was, and what to do where the provider's SPEC has no advice.
_FAILURES: Mapping[str, tuple[str, str]] = {
    "forged": (
        "a request whose signature did not hold",
        "If it came from the provider, check that {setting} is what the provider has now, and "
        "OPTIN_PUBLIC_URL the address that it calls.",
    ),
    "unreadable": (
        "a request that could not be read",
        "Check that the provider calls the right one of our addresses.",
    ),
    "unverifiable": (
        "a request whose certificate could not be had",
        "Let this machine reach the provider.",
    ),
    "not_stored": (
        "a request that could not be stored",
        "Make room on the disk. The provider repeats it.",
    ),
    "missed": (
        "asking for what was missed",
        "Check {setting}, and that this machine reaches the provider.",
    ),
}
#: What to say of each kind, and what to do.
_NOT_UNDERSTOOD = (
    "{title} sent something that Optin did not understand: {kind}.",
    "Optin took the rest. Look for it at the provider: it may be an opt-out or a bounce.",
)
_FORWARDED = (
    "{title} reported a bounce or complaint of {kind}.",
    "The contact's Activity Log has each. Ask the contact which mailbox they read.",
)
#: Of what is older, nobody can find the cause any more.
_ODD_FOR = timedelta(days=30)
#: What was missed is asked for every five minutes: a failure that is older has not come again.
_ASKED_AGAIN = timedelta(minutes=10)


def provider_findings(settings: Settings) -> Iterator[Finding]:
    """A line for each provider: whether it is on, and what was heard of it."""
    try:
        made = make_providers(
            settings.providers,
            public_url=settings.public_url,
            seen=MemoryReplayGuard(),
            mailboxes_of=lambda _: None,
        )
    except ValueError as error:
        yield Finding(what="A provider can't be switched on.", cure=str(error))
        return
    on = {provider.name for provider in made}
    try:
        with closing(open_store(settings.storage)) as store, store.reading() as records:
            known = {name: provider_status(records.key_value, name) for name in on}
    except StorageFailed:
        known = {}
    for spec in SPECS.values():
        if spec.name in on:
            of_it = known.get(spec.name, ProviderStatus())
            yield _on(spec, of_it)
            yield from _odd(spec, of_it)
        else:
            yield Finding(what=f"{spec.heading} is off; {spec.switch} switches it on.", off=True)


def _on(spec: ProviderSpec, heard: ProviderStatus) -> Finding:
    last = f"the last event came {_said(heard.event_at)}" if heard.event_at else "no event yet"
    what = f"{spec.heading} is on; {last}."
    if heard.failure_at is None or heard.failure not in _FAILURES:
        return Finding(what=what)
    failed, cure = _FAILURES[heard.failure]
    cure = spec.advice.get(heard.failure, cure)
    what = f"{what} The last failure, {_said(heard.failure_at)}: {failed}."
    # What comes in by itself says nothing of what can't be asked for.
    lasting = heard.failure == "missed" and clock.now() - heard.failure_at < _ASKED_AGAIN
    if not lasting and heard.event_at and heard.event_at > heard.failure_at:
        return Finding(what=what)
    return Finding(what=what, cure=cure.format(setting=spec.switch), advice=True)


def _odd(spec: ProviderSpec, heard: ProviderStatus) -> Iterator[Finding]:
    """A line for each kind of what the provider sent that was not understood, or not placed."""
    for kind, odd in heard.odd.items():
        if clock.now() - odd.at > _ODD_FOR:
            continue
        what, cure = _FORWARDED if kind == FORWARDED else _NOT_UNDERSTOOD
        times = "Once, on" if odd.count == 1 else f"{odd.count:,} times, last on"
        what = f"{what.format(title=spec.heading, kind=kind)} {times} {_said(odd.at)}."
        yield Finding(what=what, cure=cure, advice=True)


def _said(at: datetime) -> str:
    return f"{at.day} {at:%b %Y, %H:%M} UTC"
