"""What `optin doctor` says of the witnesses of the Activity Log."""

from __future__ import annotations

from collections.abc import Iterator

from bot.cli.command_session import open_service
from bot.cli.finding import Finding
from bot.cli.terminal import when
from bot.cli.witness_agreement import lost_heads
from bot.config.settings import Settings
from bot.consent.errors import OptinError
from bot.consent.log.heads import LogHead
from bot.consent.use_cases import Service
from bot.consent.use_cases.witnessed_heads import compare_heads
from bot.runtime.witness_jobs import open_witnesses
from handlers.witnesses.publish_heads import EVERY
from handlers.witnesses.witness import Witness

_NONE = Finding(
    what="No witness remembers the head of the Activity Log: a backup that is put back, or a log "
    "that is written anew, may stay unseen.",
    cure="Set OPTIN_WITNESSES to slack, or to a file:///PATH on another machine's disk; "
    "docs/operations.md has more.",
    advice=True,
)


def witness_findings(settings: Settings) -> Iterator[Finding]:
    """A line for each witness."""
    if not settings.witnesses:
        yield _NONE
        return
    try:
        with open_service(settings, quiet=True) as service:
            for witness in open_witnesses(settings, service):
                yield _finding(service, witness)
    except OptinError:
        return  # another line says so


def _finding(service: Service, witness: Witness) -> Finding:
    try:
        newest = witness.newest()
    except OptinError as error:
        return Finding(
            what=f"The witness {witness.name} can't be read.",
            cure=f"{error.sentence} Check OPTIN_WITNESSES.",
        )
    with service.store.reading() as records:
        size, _ = records.log.head()
    if newest is None and size == 0:
        return Finding(
            what=f"The witness {witness.name} remembers no head yet: the log has no entries."
        )
    if newest is None:
        return Finding(
            what=f"The witness {witness.name} remembers no head of the log yet.",
            cure="`optin serve` publishes one when it starts, every day, and when it stops.",
            advice=True,
        )
    return _compared(service, witness.name, newest, size)


def _compared(service: Service, name: str, newest: LogHead, size: int) -> Finding:
    """`size`: how many entries the log has."""
    compared = compare_heads(service, [newest])
    if compared.problem:
        return Finding(
            what=f"The log contradicts the witness {name}. {compared.problem}",
            cure="Was an older backup put back? `optin verify --witness all` compares every head.",
        )
    for sentence in lost_heads(compared.lost):
        return Finding(
            what=f"Of the witness {name}, {sentence}",
            cure="`optin serve` publishes the next head within a day.",
            advice=True,
        )
    what = f"The witness {name} remembers entry {newest.size:,} of {when(newest.at)}."
    if newest.size < size and service.now() - newest.at > 2 * EVERY:
        return Finding(
            what=what,
            cure="That is more than two days ago, and the log has grown since. Optin's log says "
            "why it could not publish the head.",
            advice=True,
        )
    return Finding(what=what)
