"""What `optin doctor` says of the providers' suppression lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

from bot.cli.finding import Finding
from bot.cli.terminal import when
from bot.config.setting_values import url
from bot.config.settings import Settings, SettingsError
from bot.consent.errors import StorageFailed
from bot.consent.known_providers import KnownLists
from bot.consent.use_cases.lists.list_records import ListState, list_state
from bot.consent.write_backs import WriteState
from bot.runtime.list_jobs import open_lists
from handlers.suppression_lists.provider_lists import (
    ListsForbidden,
    ListsUnavailable,
    ProviderLists,
)
from handlers.webhooks.provider_spec import ProviderSpec
from handlers.webhooks.providers import SPECS
from handlers.webhooks.registry import known_providers
from storage import open_store

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


def list_findings(settings: Settings) -> Iterator[Finding]:
    """Lines for each provider whose lists are on: whether they can be read and written to, and what
    waits for somebody."""
    try:
        clients = open_lists(settings)
    except SettingsError as error:
        yield Finding(what="A provider's lists can't be switched on.", cure=error.sentence)
        return
    known = known_providers(settings.providers, write_back=settings.write_back)
    for spec in SPECS.values():
        client, lists = clients.get(spec.name), known.by_id[spec.name].lists
        if client is not None and lists is not None:
            yield from _plain_http(settings, spec)
            yield from _provider(client)
            yield from _writes(settings, client, lists, spec.label)
        elif spec.lists_switch and settings.providers[spec.settings[0]]:
            yield Finding(
                what=f"{spec.heading}'s suppression lists are off; {spec.lists_switch} switches "
                "them on.",
                off=True,
            )


def _plain_http(settings: Settings, spec: ProviderSpec) -> Iterator[Finding]:
    """A line for an address at which everybody on the way can read the key."""
    for setting in spec.settings:
        address = urlsplit(settings.providers[setting] if setting.read is url else "")
        if address.scheme == "http" and address.hostname not in _THIS_MACHINE:
            yield Finding(
                what=f"{setting.name} is not https: the key for {spec.label}'s API is sent in the "
                "clear.",
                cure="Set it to the https address.",
                advice=True,
            )


def _provider(client: ProviderLists) -> Iterator[Finding]:
    """What the provider answers now."""
    label = SPECS[client.name].label
    try:
        for check in client.check():
            yield Finding(what=check.what, cure=check.cure, advice=check.advice)
    except ListsForbidden as error:
        yield Finding(what=f"{label}'s lists are closed to Optin: {error.what}", cure=error.cure)
    except ListsUnavailable as error:
        switch = SPECS[client.name].lists_switch
        yield Finding(
            what=f"{label}'s lists can't be read: {error}.",
            cure=f"Check that this machine reaches {label}, and {switch}. Optin tries again by "
            "itself.",
            advice=True,
        )


def _writes(
    settings: Settings, client: ProviderLists, lists: KnownLists, label: str
) -> Iterator[Finding]:
    """How far the reads and writes have come, by what is stored."""
    try:
        with closing(open_store(settings.storage)) as store, store.reading() as records:
            state = list_state(records.key_value, client.name)
            counts = records.write_backs.waiting()
            # All of them are read only if there is any.
            mine = (client.name, WriteState.PARKED)
            parked = Counter(
                write.problem
                for write in (records.write_backs.all() if counts.get(mine) else ())
                if (write.provider, write.state) == mine
            )
    except StorageFailed:
        return  # another line says so
    if client.readable:
        yield _last_read(state, label)
    if lists.adds or lists.removes:
        waiting = counts.get((client.name, WriteState.WAITING), 0)
        yield _confirmed(state, client, label, waiting)
    elif not settings.write_back:
        yield Finding(
            what=f"Optin writes nothing to {label}'s lists; OPTIN_WRITE_BACK=yes lets it.", off=True
        )
    for problem, count in parked.most_common():
        times = "1 write" if count == 1 else f"{count:,} writes"
        yield Finding(
            what=f"{times} to {label}'s lists failed for good: {problem or 'no reason is known'}.",
            cure=f"Look at the cause in {label}; optin sync {client.name} tries again.",
            advice=True,
        )


def _last_read(state: ListState, label: str) -> Finding:
    if state.finished_at is None:
        return Finding(
            what=f"{label}'s lists have not been read yet.",
            cure="optin serve reads them within a few minutes; optin sync reads them at once.",
            advice=True,
        )
    what = f"{label}'s lists were read to the end on {when(state.finished_at)}."
    report = state.last_report
    if report is not None and report.theirs_but_yes:
        several = report.theirs_but_yes > 1
        whom = f"{report.theirs_but_yes:,} addresses" if several else "1 address"
        return Finding(
            what=f"{what} {label} suppresses {whom} whose answer in Optin is YES.",
            cure="Look at these contacts: the alert about the read has them.",
            advice=True,
        )
    return Finding(what=what)


def _confirmed(state: ListState, client: ProviderLists, label: str, waiting: int) -> Finding:
    if state.account and state.account != client.account:
        return Finding(
            what=f"Nothing is written to {label}'s lists: the key is another one than before, and "
            "perhaps of another account.",
            cure=f"Run optin sync {client.name}, look at the counts, and confirm them.",
            advice=True,
        )
    if state.confirmed_at is None:
        held = f" Writes that wait: {waiting:,}." if waiting else ""
        return Finding(
            what=f"Nothing is written to {label}'s lists yet: nobody has confirmed the first "
            f"write.{held}",
            cure=f"Run optin sync {client.name}, look at the counts, and confirm them; or press "
            "Confirm in the alert channel.",
            advice=True,
        )
    return Finding(what=f"Writing to {label}'s lists was confirmed on {when(state.confirmed_at)}.")
