"""What a read of a provider's lists found, on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.cli.terminal import say
from bot.consent.suppressions import Cause
from bot.consent.use_cases.lists.list_records import DriftReport
from bot.consent.write_backs import WriteAction

_WIDTH = 44


def tell_report(label: str, report: DriftReport, *, not_shown: int | None = None) -> None:
    """The counts as a table. `not_shown` is of a dry run, which looks nothing up."""
    say(label)
    for indent, what, count in _rows(label, report, not_shown):
        say(f"{' ' * indent}{what:<{_WIDTH - indent}}{count:>9,}")


def to_write(counts: Mapping[WriteAction, int]) -> str:
    """What is to be written, such as "88 opt-outs to add and 3 entries to take off"."""
    words = {
        WriteAction.ADD: ("opt-out to add", "opt-outs to add"),
        WriteAction.REMOVE: ("entry to take off", "entries to take off"),
    }
    said = [
        f"{count:,} {words[action][count != 1]}" for action in words if (count := counts[action])
    ]
    return " and ".join(said) or "nothing to write yet"


def _rows(label: str, report: DriftReport, not_shown: int | None) -> Iterator[tuple[int, str, int]]:
    yield 2, "On both sides", report.on_both
    yield 2, f"Only at {label}", sum(report.only_theirs.values())
    for cause, count in sorted(report.only_theirs.items()):
        yield 4, _CAUSES[Cause(cause)], count
    if report.theirs_but_yes:
        yield 4, "of these, a YES that is newer: look at them", report.theirs_but_yes
    yield 2, "Only in Optin: opt-outs to add", report.only_ours
    if not_shown is None:
        yield 2, f"No longer at {label}", report.gone
    else:
        yield 2, "In Optin and not shown: to be looked up", not_shown


_CAUSES = {
    Cause.UNSUBSCRIBE: "unsubscribed",
    Cause.COMPLAINT: "reported spam",
    Cause.BOUNCE: "bounced",
    Cause.OURS: "put there by your own side",
    Cause.UNKNOWN: "for a reason that is not told",
}
