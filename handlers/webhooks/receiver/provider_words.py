"""What to say of one provider: when it was last heard, and what went wrong last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.webhooks.provider_spec import ProviderSpec
from handlers.webhooks.receiver.provider_health import ProviderStatus
from handlers.webhooks.receiver.receive import FORWARDED

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFinding:
    """One thing about a provider, and what to do about it; None where it is well."""

    what: str
    cure: str | None = None


def findings_of(
    spec: ProviderSpec, heard: ProviderStatus, now: datetime, shown: Callable[[datetime], str]
) -> Iterator[ProviderFinding]:
    """Of a provider that is on. `shown` writes a time."""
    last = f"the last event came {shown(heard.event_at)}" if heard.event_at else "no event yet"
    yield _on(spec, heard, now, f"{spec.heading} is on; {last}.", shown)
    yield from _odd(spec, heard, now, shown)


def _on(
    spec: ProviderSpec,
    heard: ProviderStatus,
    now: datetime,
    what: str,
    shown: Callable[[datetime], str],
) -> ProviderFinding:
    if heard.failure_at is None or heard.failure not in _FAILURES:
        return ProviderFinding(what=what)
    failed, cure = _FAILURES[heard.failure]
    cure = spec.advice.get(heard.failure, cure)
    what = f"{what} The last failure, {shown(heard.failure_at)}: {failed}."
    # What comes in by itself says nothing of what can't be asked for.
    lasting = heard.failure == "missed" and now - heard.failure_at < _ASKED_AGAIN
    if not lasting and heard.event_at and heard.event_at > heard.failure_at:
        return ProviderFinding(what=what)
    return ProviderFinding(what=what, cure=cure.format(setting=spec.switch))


def _odd(
    spec: ProviderSpec, heard: ProviderStatus, now: datetime, shown: Callable[[datetime], str]
) -> Iterator[ProviderFinding]:
    """Each kind of what the provider sent that was not understood, or not placed."""
    for kind, odd in heard.odd.items():
        if now - odd.at > _ODD_FOR:
            continue
        what, cure = _FORWARDED if kind == FORWARDED else _NOT_UNDERSTOOD
        times = "Once, on" if odd.count == 1 else f"{odd.count:,} times, last on"
        what = f"{what.format(title=spec.heading, kind=kind)} {times} {shown(odd.at)}."
        yield ProviderFinding(what=what, cure=cure)
