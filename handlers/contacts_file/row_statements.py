"""What the cells of one row say of consent, taken together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from bot.consent.errors import Invalid
from bot.consent.model import Channel, ConsentValue
from bot.consent.use_cases.imports.rows import OptOutDetails
from handlers.cells import plain
from handlers.contacts_file.cell_values import NOTHING, Statement, statement_of
from handlers.contacts_file.columns import Kind, Use
from handlers.contacts_file.csv_records import CsvRecord

#: Cells of one column that are remembered.
_MOST_WORDS = 5_000


@dataclass(slots=True)
class Said:
    """What the cells of a row say of one channel."""

    on: ConsentValue = ConsentValue.UNSET
    bounced: bool = False
    complained: bool = False
    refusals: list[Statement] = field(default_factory=list)
    agreed_at: datetime | None = None


class RowConsent(NamedTuple):
    """What the cells of a row say, taken together."""

    sms: Said
    email: Said
    refusals: Mapping[Channel, OptOutDetails]
    #: The contact wants no calls.
    calls: bool

    def of(self, channel: Channel) -> Said:
        """What they say of one channel."""
        return self.sms if channel is Channel.SMS else self.email


class RowStatements:
    """Reads the columns about consent of one file."""

    def __init__(self, consent: Sequence[Use]) -> None:
        own = {
            channel
            for use in consent
            if use.kind is Kind.OPT_IN and len(use.channels) == 1
            for channel in use.channels
        }
        self._uses = tuple(
            (use, _Words(use), use.agreed if len(use.channels) == 1 else _without(use.agreed, own))
            for use in consent
        )
        self._places = tuple(use.place for use in consent)
        self._last = max(self._places, default=-1)
        #: Rows say the same over and over.
        self._known: dict[tuple[str, ...], RowConsent] = {}

    def of(self, record: CsvRecord) -> RowConsent:
        """Raises `Invalid` for a word that is not understood."""
        cells = record.cells
        if len(cells) <= self._last:
            return self._taken_together(record, strict=True)
        words = tuple([cells[place] for place in self._places])
        found = self._known.get(words)
        if found is None:
            found = self._taken_together(record, strict=True)
            if len(self._known) < _MOST_WORDS:
                self._known[words] = found
        return found

    def as_far_as_understood(self, record: CsvRecord) -> RowConsent:
        """The same of a row that is broken: its words may stand in the wrong columns."""
        return self._taken_together(record, strict=False)

    def statements(
        self, record: CsvRecord, *, strict: bool = True
    ) -> Iterable[tuple[Statement, Use, tuple[Channel, ...]]]:
        """Each cell that says anything, its column, and the channels to which a yes is one. Raises
        `Invalid` where `strict`, for a word that is not understood."""
        for use, words, agreed in self._uses:
            if use.place < len(record.cells) and (text := record.cells[use.place]):
                said = words.read(text)
                if said is None and strict:
                    raise Invalid(f"{use.title} holds a word that Optin does not understand.")
                if said is not NOTHING and said is not None:
                    yield said, use, agreed

    def _taken_together(self, record: CsvRecord, *, strict: bool) -> RowConsent:
        """A refusal in any column counts; not to have opted out is no opt-in."""
        found = {channel: Said() for channel in Channel}
        calls = False
        for said, use, agreed in self.statements(record, strict=strict):
            if use.kind is Kind.DO_NOT_CALL:
                calls = calls or said.says_no
                continue
            for channel in (said.channel,) if said.channel else use.channels:
                one = found[channel]
                general = len(use.channels) > 1 and channel is Channel.SMS
                one.bounced = one.bounced or (said.bounced and not general)
                one.complained = one.complained or said.complained
                if said.on is ConsentValue.NO:
                    one.on = ConsentValue.NO
                    one.refusals.append(said)
                elif said.on is ConsentValue.YES:
                    one.agreed_at = one.agreed_at or said.at
                    # A date in a column of all channels is that of a mailing list.
                    agrees = channel in agreed and not (general and said.at)
                    if agrees and one.on is ConsentValue.UNSET:
                        one.on = said.on
        sms, email = found[Channel.SMS], found[Channel.EMAIL]
        if calls and sms.on is ConsentValue.YES:
            sms.on = ConsentValue.UNSET
        refusals = {
            channel: details_of(one.refusals) for channel, one in found.items() if one.refusals
        }
        return RowConsent(sms, email, refusals, calls)


def details_of(refusals: Iterable[Statement]) -> OptOutDetails:
    """How a NO was said: the contact's own counts before our side's, and the latest date."""
    known = [*refusals]
    theirs = [said for said in known if not said.by_staff] or known
    return OptOutDetails(
        at=max((said.at for said in theirs if said.at), default=None),
        by_staff=theirs[0].by_staff,
        reason=next((said.reason for said in theirs if said.reason), ""),
    )


class _Words:
    """What the words of one column say, each read once."""

    def __init__(self, use: Use) -> None:
        self._use = use
        self._known: dict[str, Statement | None] = {}

    def read(self, text: str) -> Statement | None:
        if text in self._known:
            return self._known[text]
        said = statement_of(plain(text), self._use)
        if len(self._known) < _MOST_WORDS:
            self._known[text] = said
        return said


def _without(channels: tuple[Channel, ...], own: set[Channel]) -> tuple[Channel, ...]:
    return tuple(channel for channel in channels if channel not in own)
