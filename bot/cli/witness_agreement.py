"""What `optin verify --witness` says of one witness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from bot.cli.terminal import complain, say, when
from bot.consent.log.heads import LogHead
from bot.consent.use_cases import Service
from bot.consent.use_cases.accepted_losses import AcceptedLoss
from bot.consent.use_cases.witnessed_heads import compare_heads
from handlers.vocabulary import person
from handlers.witnesses.witness import Witness, WitnessFailed


def agrees(service: Service, witness: Witness) -> bool:
    """Whether the log has all that the witness remembers, but for what a person accepted as
    lost."""
    try:
        heads = witness.remembered()
    except WitnessFailed as error:
        complain(f"{witness.name}: {error.sentence}")
        return False
    if not heads:
        complain(f"{witness.name} remembers no head of the log.")
        return False
    compared = compare_heads(service, heads)
    for sentence in lost_heads(compared.lost):
        say(f"{witness.name}: {sentence}")
    if compared.problem:
        complain(f"{witness.name}: {compared.problem}")
        return False
    lost = [head for _, head in compared.lost]
    held = [head for head in heads if head not in lost]
    if not held:
        say(f"{witness.name}: there is no other head yet, so nothing shows that the log holds.")
        return True
    newest = max(held, key=lambda head: head.size)
    others = "other " if lost else ""
    hold = f"1 {others}head holds" if len(held) == 1 else f"all {len(held):,} {others}heads hold"
    say(f"{witness.name}: {hold}. The newest is of entry {newest.size:,}, {when(newest.at)}.")
    return True


def lost_heads(lost: Sequence[tuple[AcceptedLoss, LogHead]]) -> Iterator[str]:
    """For each acceptance, which heads the log does not have because of it."""
    for seq, group in groupby(lost, key=lambda pair: pair[0].entry.seq):
        pairs = list(group)
        loss, first, last = pairs[0][0], pairs[0][1].size, pairs[-1][1].size
        which = (
            f"1 head, of entry {first:,}, is"
            if len(pairs) == 1
            else f"{len(pairs):,} heads, of entries {first:,} to {last:,}, are"
        )
        yield (
            f"{which} lost. {person(loss.by, markup=False)} accepted that on {when(loss.at)} "
            f"(entry {seq:,})."
        )
