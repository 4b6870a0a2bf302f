"""`optin verify --accept-rollback`: goes on with an older copy of the storage."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from bot.cli.command_session import operator
from bot.cli.named_witnesses import open_named
from bot.cli.terminal import complain, say
from bot.config.settings import Settings
from bot.config.witness_address import WitnessAddress
from bot.consent import use_cases
from bot.consent.errors import OptinError
from bot.consent.storage_behind import RememberedHead
from bot.consent.use_cases import Service, Verdict
from bot.consent.use_cases.accepted_losses import accepted_losses
from bot.runtime.head_watch import HeadWatch, has_all
from bot.runtime.heads_of_witnesses import head_of_witness


def accept_loss(settings: Settings, service: Service, named: Iterable[WitnessAddress]) -> Verdict:
    """The log behind the entry that says who accepted it. `named` are witnesses beside those of the
    settings. Raises `Refused` where nothing is lost."""
    heads = list(_heads(settings, service, named))
    lost = use_cases.accept_rollback(service, operator(), heads)
    _end_second(service)
    has_all(service)  # the head file follows
    say(
        f"Accepted: {lost.where} remembered entry {lost.size:,}, and the storage ended with entry "
        f"{lost.present:,}. Optin asks the providers what it missed. What people recorded in "
        "Optin since then is lost: record it again."
    )
    for line in _extent(service, lost.present):
        say(line)
    return use_cases.verify(service)


def _extent(service: Service, present: int) -> Iterator[str]:
    """What the acceptance covers. `present`: where the log ended when the loss was noticed."""
    with service.store.reading() as records:
        loss = accepted_losses(records)[-1]
    yield f"What the log had as {loss.entries} counts as lost."
    if loss.kept:
        yield f"Up to entry {loss.kept:,} the log agrees with what is remembered elsewhere."
    else:
        yield "No earlier entry is remembered elsewhere, so more may be lost."
    if loss.first <= present:
        yield (
            f"That is more than a lost end: entry {loss.first:,} or one before it is not as it was "
            "remembered. The log was changed, or it grew after it went back."
        )


def _heads(
    settings: Settings, service: Service, named: Iterable[WitnessAddress]
) -> Iterator[RememberedHead]:
    """All that anybody remembers. A witness that can't be asked holds up nothing."""
    if isinstance(service.heads, HeadWatch):
        yield from service.heads.all_remembered(service)
    addresses = {one.name: one for one in (*settings.witnesses, *named)}
    for witness in open_named(settings, service, addresses.values()):
        try:
            heads = witness.remembered()
        except OptinError as error:
            complain(f"{witness.name} is not asked up to where the log agrees: {error.sentence}")
            continue
        yield from (head_of_witness(head, witness.name) for head in heads)


def _end_second(service: Service) -> None:
    """Heads have whole seconds. One that is published after this must not look like one of before,
    which may be lost."""
    time.sleep(1 - service.now().microsecond / 1_000_000)
