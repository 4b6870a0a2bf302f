"""Heads of the Activity Log that witnesses remember, and whether the log agrees with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.consent.errors import Corrupt
from bot.consent.log.heads import LogHead
from bot.consent.log.merkle_tree import verify_consistency
from bot.consent.store import Records
from bot.consent.use_cases.accepted_losses import (
    AcceptedLoss,
    accepted_losses,
    loss_of_head,
)
from bot.consent.use_cases.context import Service, date
from bot.consent.use_cases.log_tree import (
    consistency,
    grow_tree,
    log_id,
    present_head,
    root_at,
)


def head_now(service: Service, newest: Iterable[LogHead] = ()) -> LogHead | None:
    """The head to be published; None where the log has no entries. `newest`: what the witnesses
    remember. Raises `Corrupt` where the stored tree is damaged, since a wrong root that was
    published could not be taken back. Raises `StorageFailed`, too."""
    grow_tree(service)
    with service.store.reading() as records:
        size, _ = records.log.head()
        if size == 0:
            return None
        for head in newest:
            if head.size <= size and _chain_at(records, head.size) == head.chain:
                _require_root(records, head)
        return present_head(records, service.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedHeads:
    """What the log says of heads that a witness remembers."""

    #: The first that the log contradicts, in a sentence; None where none does.
    problem: str | None
    #: Those that the log does not have, each with the acceptance of that, the oldest first.
    lost: Sequence[tuple[AcceptedLoss, LogHead]]


def compare_heads(service: Service, heads: Iterable[LogHead]) -> ComparedHeads:
    """Compares the log with each of them. Raises `StorageFailed`."""
    problem: str | None = None
    lost: list[tuple[AcceptedLoss, LogHead]] = []
    with service.store.reading() as records:
        losses = accepted_losses(records)
        for head in heads:
            if (loss := loss_of_head(records, head, losses)) is not None:
                lost.append((loss, head))
            else:
                problem = problem or contradiction(records, head)
    return ComparedHeads(problem=problem, lost=sorted(lost, key=_place))


def check_heads(service: Service, heads: Iterable[LogHead]) -> str | None:
    """The first of these heads that the log contradicts, in a sentence; None where none does."""
    return compare_heads(service, heads).problem


def contradiction(records: Records, head: LogHead) -> str | None:
    """What the log contradicts of the head, in a sentence; None where the log has these entries and
    nothing else before the newest of them."""
    name = f"The head of entry {head.size:,}, published on {date(head.at)} at {head.at:%H:%M} UTC,"
    size, _ = records.log.head()
    if size == 0:
        return f"{name} does not hold: the log has no entries."
    if log_id(records.log) != head.log:
        return f"{name} is the head of another log."
    if head.size > size:
        return f"{name} does not hold: the log ends at entry {size:,}."
    if _chain_at(records, head.size) != head.chain:
        return f"{name} does not hold: entry {head.size:,} or one before it was changed."
    old, new = bytes.fromhex(head.root), root_at(records, size)
    proof = consistency(records, head.size, size)
    if not verify_consistency(head.size, size, old, new, proof):
        return f"{name} does not hold: its root is not that of the first {head.size:,} entries."
    return None


def _place(lost: tuple[AcceptedLoss, LogHead]) -> tuple[int, int]:
    loss, head = lost
    return loss.entry.seq, head.size


def _require_root(records: Records, head: LogHead) -> None:
    if root_at(records, head.size).hex() != head.root:
        raise Corrupt(
            f"The root that was published for entry {head.size:,} is not that of the log now: "
            "`optin verify --witness all` says what does not hold."
        )


def _chain_at(records: Records, seq: int) -> str:
    return "".join(records.log.hashes(seq - 1, 1))
